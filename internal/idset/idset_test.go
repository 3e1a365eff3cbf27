package idset_test

import (
	"context"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/internal/idset"
)

func TestSortedIsACopyWithEachIDOnce(t *testing.T) {
	is := is.New(t)
	ids := []int64{3, 1, 3, 2, 1}
	is.Equal(idset.Sorted(ids), []int64{1, 2, 3})
	is.Equal(ids, []int64{3, 1, 3, 2, 1})
	is.True(idset.Sorted(nil) == nil)
	is.True(idset.Sorted([]int64{}) != nil) // empty is not nil
}

func TestIndexAsksOnceForWhatThereMayBe(t *testing.T) {
	is := is.New(t)
	var asked [][]int64
	read := func(_ context.Context, ids []int64) ([]int64, error) {
		asked = append(asked, ids)
		return ids[:len(ids)-1], nil // the last one is missing
	}
	self := func(id int64) int64 { return id }
	found, err := idset.Index(t.Context(), read, []int64{7, 0, 5, 7, 9}, self)
	is.NoErr(err)
	is.Equal(found, map[int64]int64{5: 5, 7: 7})
	found, err = idset.Index(t.Context(), read, []int64{0, 0}, self)
	is.NoErr(err)
	is.Equal(len(found), 0)
	is.Equal(asked, [][]int64{{5, 7, 9}}) // none for the zeros alone
}
