package laravel

import (
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// List is the page envelope of Metapic v2: {data, links, meta}.
type List[T any] struct {
	Data  []T       `json:"data"`
	Links ListLinks `json:"links"`
	Meta  ListMeta  `json:"meta"`
}

// ListLinks point to other pages; nil is null.
type ListLinks struct {
	First string  `json:"first"`
	Last  string  `json:"last"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
}

// ListMeta says which page this is. From and To count items from 1 and are
// null on an empty page.
type ListMeta struct {
	CurrentPage int        `json:"current_page"`
	From        *int       `json:"from"`
	LastPage    int        `json:"last_page"`
	Links       []PageLink `json:"links"`
	Path        string     `json:"path"`
	PerPage     int        `json:"per_page"`
	To          *int       `json:"to"`
	Total       int        `json:"total"`
}

// PageLink is one button of a pager.
type PageLink struct {
	URL    *string `json:"url"`
	Label  string  `json:"label"`
	Page   *int    `json:"page"`
	Active bool    `json:"active"`
}

// NewList wraps a page of a list; show makes each item's answer. Data is an
// empty list, never null.
func NewList[T, U any](u wire.URL, req affiliate.PageRequest, page affiliate.Page[T], show func(T) U) List[U] {
	list := List[U]{Data: make([]U, len(page.Items))}
	for i, item := range page.Items {
		list.Data[i] = show(item)
	}
	last := wire.LastPage(page.Total, req.Size)
	list.Links = ListLinks{First: u.Page(1), Last: u.Page(last)}
	if req.Number > 1 {
		list.Links.Prev = ptr(u.Page(req.Number - 1))
	}
	if req.Number < last {
		list.Links.Next = ptr(u.Page(req.Number + 1))
	}
	list.Meta = ListMeta{
		CurrentPage: req.Number, LastPage: last, Links: PageLinks(u, req.Number, last),
		Path: u.Path, PerPage: req.Size, Total: page.Total,
	}
	if n := len(page.Items); n > 0 {
		list.Meta.From = ptr(req.Offset() + 1)
		list.Meta.To = ptr(req.Offset() + n)
	}
	return list
}

// PageLinks are the buttons of a pager: previous, the numbers, next.
func PageLinks(u wire.URL, current, last int) []PageLink {
	link := func(n int, label string) PageLink {
		if n < 1 || n > last {
			return PageLink{Label: label}
		}
		return PageLink{URL: ptr(u.Page(n)), Label: label, Page: ptr(n)}
	}
	prev := link(current-1, "« Previous")
	if current > last+1 { // a page past the end: the one before it is past it too
		prev = PageLink{URL: ptr(u.Page(current - 1)), Label: prev.Label, Page: ptr(current - 1)}
	}
	links := []PageLink{prev}
	for _, n := range pageWindow(current, last) {
		if n == 0 {
			links = append(links, PageLink{Label: "..."})
			continue
		}
		number := link(n, strconv.Itoa(n))
		number.Active = n == current
		links = append(links, number)
	}
	return append(links, link(current+1, "Next »"))
}

// pageWindow is which numbers a pager shows; 0 is a gap. As Laravel does it
// with three pages on each side: all of them up to 13; else the first and last
// two, and those around the current one.
func pageWindow(current, last int) []int {
	const side = 3
	const window = side + 4
	switch {
	case last < 2*side+8:
		return pageRange(nil, 1, last)
	case current <= window:
		return pageRange(append(pageRange(nil, 1, window+side), 0), last-1, last)
	case current > last-window:
		return pageRange([]int{1, 2, 0}, last-(window+side-1), last)
	}
	return pageRange(append(pageRange([]int{1, 2, 0}, current-side, current+side), 0), last-1, last)
}

func pageRange(to []int, from, through int) []int {
	for n := from; n <= through; n++ {
		to = append(to, n)
	}
	return to
}

func ptr[T any](v T) *T { return &v }
