package laravel

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Paging is the part of an input that a list of 20 to 100 items a page takes.
type Paging struct {
	URL  wire.URL
	Page int `query:"page" default:"1" min:"1" max:"1000000000"`
	Size int `query:"size" default:"20" min:"1" max:"100"`
}

// Request returns the page that is asked for.
func (p Paging) Request(by affiliate.Sort) affiliate.PageRequest {
	return affiliate.PageRequest{Number: p.Page, Size: p.Size, Sort: by}
}

// ShowAll shows each item. The result is an empty list, never null.
func ShowAll[T, U any](items []T, show func(T) U) []U {
	out := make([]U, len(items))
	for i, item := range items {
		out[i] = show(item)
	}
	return out
}

// OrEmpty returns the ids as a list that is never null.
func OrEmpty(ids []int64) []int64 {
	if ids == nil {
		return []int64{}
	}
	return ids
}
