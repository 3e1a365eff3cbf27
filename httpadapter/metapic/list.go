package metapic

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// paging is what lists of 20 to 100 items a page take.
type paging struct {
	URL  wire.URL
	Page int `query:"page" default:"1" min:"1" max:"1000000000"`
	Size int `query:"size" default:"20" min:"1" max:"100"`
}

func (p paging) request(by affiliate.Sort) affiliate.PageRequest {
	return affiliate.PageRequest{Number: p.Page, Size: p.Size, Sort: by}
}

// showAll is the answers of many items: an empty list, never null.
func showAll[T, U any](items []T, show func(T) U) []U {
	out := make([]U, len(items))
	for i, item := range items {
		out[i] = show(item)
	}
	return out
}

// orEmpty is the ids as a list that is never null.
func orEmpty(ids []int64) []int64 {
	if ids == nil {
		return []int64{}
	}
	return ids
}
