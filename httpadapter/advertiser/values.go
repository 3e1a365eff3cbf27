package advertiser

import (
	"encoding/json"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// pageSize is how many items a page has where the document does not say.
const pageSize = 15

// paging is the part of an input that lists take.
type paging struct {
	URL  wire.URL
	Page int `query:"page" default:"1" min:"1" max:"1000000000"`
}

func (p paging) request(size int) affiliate.PageRequest {
	return affiliate.PageRequest{Number: p.Page, Size: size}
}

// day prints as "2020-01-01 00:00:00", in UTC; the zero time as
// "0000-00-00 00:00:00".
type day time.Time

// MarshalJSON prints the day.
func (d day) MarshalJSON() ([]byte, error) {
	if t := time.Time(d); !t.IsZero() {
		return json.Marshal(t.UTC().Format(time.DateOnly) + " 00:00:00")
	}
	return []byte(`"0000-00-00 00:00:00"`), nil
}

// startOfDay cuts a time to its day.
func startOfDay(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(24 * time.Hour)
}

// flag is a boolean as a number.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// timestamps are when something was made and changed last.
type timestamps struct {
	CreatedAt laravel.DateTime `json:"created_at"`
	UpdatedAt laravel.DateTime `json:"updated_at"`
}

func stamps(created, updated time.Time) timestamps {
	if updated.IsZero() {
		updated = created
	}
	return timestamps{laravel.DateTime(created), laravel.DateTime(updated)}
}

// ref names something by its id.
type ref struct {
	ID int64 `json:"id" required:"true" min:"1"`
}

func idsOf(refs []ref) []int64 {
	ids := make([]int64, len(refs))
	for i, r := range refs {
		ids[i] = r.ID
	}
	return ids
}

// require notes a field that a new thing cannot be without.
func require[T any](v *affiliate.Validation, field string, sent wire.Optional[T]) {
	v.Check(sent.Set && !sent.Null, field, "required", "is required")
}
