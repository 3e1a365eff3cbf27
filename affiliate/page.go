package affiliate

// Sort orders a list by one column. The zero Sort is by id, ascending; ties of
// any other column are broken by id, ascending.
type Sort struct {
	Column string // in wire spelling: "name"; see the list's filter for the columns it can sort by
	Desc   bool
}

// PageRequest asks for one page of a list.
type PageRequest struct {
	Number int // from 1
	Size   int // items on a page, from 1
	Sort   Sort
}

// MaxPageSize bounds PageRequest.Size in every backend.
const MaxPageSize = 1000

// MaxPageNumber bounds PageRequest.Number in every backend: far past any real
// list, and small enough that Number times Size never overflows.
const MaxPageNumber = 1_000_000_000

// Validate checks the bounds, and the sort column against the given ones.
// "id" and the empty column are always allowed.
func (p PageRequest) Validate(columns ...string) error {
	var v Validation
	if p.Number < 1 || p.Number > MaxPageNumber {
		v.Add("page", "out_of_range", "must be between 1 and 1000000000")
	}
	if p.Size < 1 || p.Size > MaxPageSize {
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

// Offset is the number of items before the page.
func (p PageRequest) Offset() int { return (p.Number - 1) * p.Size }

// Page is one page of a list, and how many items the whole list has.
type Page[T any] struct {
	Items []T
	Total int
}
