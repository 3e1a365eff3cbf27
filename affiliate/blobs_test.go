package affiliate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestBlobsComeBackAsTheyWere(t *testing.T) {
	dir, err := affiliate.NewDirBlobs(t.TempDir() + "/made/for/it")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]affiliate.Blobs{"memory": affiliate.NewMemoryBlobs(), "directory": dir} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			data := []byte("\x00\xff")
			is.NoErr(b.Put(t.Context(), "a.png", data))
			data[0] = 'x'
			got, err := b.Get(t.Context(), "a.png")
			is.NoErr(err)
			is.Equal(got, []byte("\x00\xff"))
			got[0] = 'x'
			is.NoErr(b.Put(t.Context(), "a.png", []byte("new")))
			got, err = b.Get(t.Context(), "a.png")
			is.NoErr(err)
			is.Equal(string(got), "new")
			for _, key := range []string{"tmp-2", "tmp-1", "tmp-10", "tm"} {
				is.NoErr(b.Put(t.Context(), key, nil))
			}
			keys, err := b.Keys(t.Context(), "tmp-", "", 2)
			is.NoErr(err)
			is.Equal(keys, []string{"tmp-1", "tmp-10"})
			keys, err = b.Keys(t.Context(), "tmp-", "tmp-10", 2)
			is.NoErr(err)
			is.Equal(keys, []string{"tmp-2"})
			keys, err = b.Keys(t.Context(), "x", "", 10)
			is.NoErr(err)
			is.Equal(len(keys), 0)
			is.NoErr(b.Delete(t.Context(), "a.png"))
			is.NoErr(b.Delete(t.Context(), "a.png"))
			_, err = b.Get(t.Context(), "a.png")
			is.True(errors.Is(err, affiliate.ErrNotFound))
			for _, key := range []string{"", "..", "../a", "a/b", `a\b`, ".a", "A", "a\x00", strings.Repeat("a", 256)} {
				_, err := b.Get(t.Context(), key)
				is.True(errors.Is(err, affiliate.ErrInvalid))
				is.True(errors.Is(b.Put(t.Context(), key, nil), affiliate.ErrInvalid))
				is.True(errors.Is(b.Delete(t.Context(), key), affiliate.ErrInvalid))
			}
		})
	}
}
