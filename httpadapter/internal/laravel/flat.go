package laravel

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// FlatList is the page envelope of the older API: the pager's fields beside the
// data.
type FlatList[T any] struct {
	CurrentPage  int        `json:"current_page"`
	Data         []T        `json:"data"`
	FirstPageURL string     `json:"first_page_url"`
	From         *int       `json:"from"` // null on an empty page
	LastPage     int        `json:"last_page"`
	LastPageURL  string     `json:"last_page_url"`
	Links        []PageLink `json:"links"`
	NextPageURL  *string    `json:"next_page_url"`
	Path         string     `json:"path"`
	PerPage      int        `json:"per_page"`
	PrevPageURL  *string    `json:"prev_page_url"`
	To           *int       `json:"to"` // null on an empty page
	Total        int        `json:"total"`
}

// NewFlatList wraps a page of a list; show shows each item.
func NewFlatList[T, U any](u wire.URL, req affiliate.PageRequest, page affiliate.Page[T], show func(T) U) FlatList[U] {
	l := NewList(u, req, page, show)
	return FlatList[U]{
		CurrentPage: l.Meta.CurrentPage, Data: l.Data, FirstPageURL: l.Links.First, From: l.Meta.From,
		LastPage: l.Meta.LastPage, LastPageURL: l.Links.Last, Links: l.Meta.Links, NextPageURL: l.Links.Next,
		Path: l.Meta.Path, PerPage: l.Meta.PerPage, PrevPageURL: l.Links.Prev, To: l.Meta.To, Total: l.Meta.Total,
	}
}
