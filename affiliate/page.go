package affiliate

// Sort orders a list by one column. The zero Sort is by id, ascending; ties of
// any other column are broken by id, ascending.
type Sort struct {
	Column string // in wire spelling: "name"; see the list's filter for the columns it can sort by
	Desc   bool
}

// PageRequest asks for one page of a list. The zero PageRequest is the first
// page, of DefaultPageSize items.
type PageRequest struct {
	Number int // from 1; 0 is the first page
	Size   int // items on a page, at most MaxPageSize; 0: DefaultPageSize
	Sort   Sort
	Keys   *PageKeys // when the pages of a list are read one after the other; nil: for a page alone
}

// PageKeys is where a backend keeps the order of a list while its pages are read
// one after the other: with the first page it reads the keys of the whole list,
// and each further page by its keys. So a list of n items costs n, where numbered
// pages alone look again at all that stands before them. Keys are for one list,
// with one filter and one order, and for the pages of one Read or Snapshot, in
// which the list stays as it is. A backend that leaves them alone is only slower.
//
// The zero PageKeys is ready to use, by one goroutine.
type PageKeys struct{ kept any }

// Kept returns what the backend kept, nil before the first page. Backends know its
// type.
func (k *PageKeys) Kept() any { return k.kept }

// Keep keeps the keys of the whole list, in its order.
func (k *PageKeys) Keep(keys any) { k.kept = keys }

// DefaultPageSize is the size of a page whose request names none.
const DefaultPageSize = 100

// MaxPageSize bounds PageRequest.Size in every backend.
const MaxPageSize = 1000

// MaxPageNumber bounds PageRequest.Number in every backend: far past any real
// list, and small enough that Number times Size never overflows.
const MaxPageNumber = 1_000_000_000

// Validate checks the bounds, and the sort column against the given ones.
// "id" and the empty column are always allowed.
func (p PageRequest) Validate(columns ...string) error {
	var v Validation
	if p.Number < 0 || p.Number > MaxPageNumber {
		v.Add("page", "out_of_range", "must be between 1 and 1000000000")
	}
	if p.Size < 0 || p.Size > MaxPageSize {
		v.Add("size", "out_of_range", "must be between 1 and 1000")
	}
	if c := p.Sort.Column; c != "" && c != "id" {
		known := false
		for _, k := range columns {
			known = known || k == c
		}
		if !known {
			v.Add("sort_by", "unknown_column", "must name a column of the list")
		}
	}
	return v.Err("page")
}

// Offset returns the number of items before the page.
func (p PageRequest) Offset() int { return (max(p.Number, 1) - 1) * p.Limit() }

// Limit returns the most items that the page has: Size, or the default.
func (p PageRequest) Limit() int {
	if p.Size == 0 {
		return DefaultPageSize
	}
	return p.Size
}

// Page is one page of a list, and how many items the whole list has.
type Page[T any] struct {
	Items []T
	Total int
}
