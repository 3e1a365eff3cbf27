package productlists

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// meta is in every answer.
type meta struct {
	TraceID string `json:"trace_id"`
}

func metaOf(id wire.RequestID) meta { return meta{string(id)} }

// listAnswer is a list with its products.
type listAnswer struct {
	Data listData `json:"data"`
	Meta meta     `json:"meta"`
}

type listData struct {
	ID            uuid.UUID         `json:"id"`
	Name          string            `json:"name"`
	Metadata      map[string]string `json:"metadata"`
	ProductsCount int               `json:"products_count"`
	Products      []listed          `json:"products"`
}

func showList(c productlists.Content, id wire.RequestID) listAnswer {
	return listAnswer{
		Data: listData{
			ID: c.ID, Name: c.Name, Metadata: showMetadata(c.Metadata),
			ProductsCount: c.Size, Products: showProducts(c.Items),
		},
		Meta: metaOf(id),
	}
}

func showMetadata(pairs []productlists.Pair) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.Key] = p.Value
	}
	return m
}

type createList struct {
	RequestID       wire.RequestID
	PoolID          wire.Optional[int64] `json:"pool_id"`
	Metadata        map[string]string    `json:"metadata" max:"16"`
	Name            string               `json:"name" required:"true" max:"255"`
	ProductIDs      []string             `json:"product_ids" max:"1000"`
	OwnerIdentifier string               `json:"owner_identifier" max:"255"`
}

func (s *server) createList(ctx context.Context, p affiliate.Principal, in createList) (listAnswer, error) {
	list := productlists.ListInput{
		Name: in.Name, Metadata: in.Metadata, OwnerIdentifier: in.OwnerIdentifier, ProductIDs: in.ProductIDs,
	}
	if pool := in.PoolID.Ptr(); pool != nil {
		list.PoolID = affiliate.Some(*pool)
	}
	c, _, err := s.lists.CreateList(ctx, p.Subject, list)
	return showList(c, in.RequestID), err
}

// page is the envelope of a page of lists.
type page struct {
	Meta pageMeta  `json:"meta"`
	Data []summary `json:"data"`
}

// pageMeta: From and To count lists from 1 and are null on an empty page.
type pageMeta struct {
	Total       int      `json:"total"`
	From        *int     `json:"from"`
	To          *int     `json:"to"`
	CurrentPage int      `json:"current_page"`
	LastPage    int      `json:"last_page"`
	PerPage     int      `json:"per_page"`
	Fields      []string `json:"fields"`
	meta
}

// summary is a list in a list of lists.
type summary struct {
	ID              uuid.UUID         `json:"id"`
	Name            string            `json:"name"`
	OwnerIdentifier string            `json:"owner_identifier"`
	Metadata        map[string]string `json:"metadata"`
	ProductsCount   int               `json:"products_count"`
}

type listLists struct {
	RequestID wire.RequestID
	Metadata  map[string]string `query:"metadata" max:"16"`
	Bare      map[string]string `query:"" max:"16"`
	Page      int               `query:"page" default:"1" min:"1" max:"1000000000"`
	PerPage   int               `query:"per_page" default:"100" min:"1" max:"100"`
}

// filters are the pairs of both spellings. A key in both must have both values.
func (in listLists) filters() []productlists.Pair {
	pairs := productlists.MetadataOf(in.Metadata)
	for _, p := range productlists.MetadataOf(in.Bare) {
		if !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

func (s *server) listLists(ctx context.Context, p affiliate.Principal, in listLists) (page, error) {
	found, err := s.lists.Lists(ctx, p.Subject, in.filters(), affiliate.PageRequest{Number: in.Page, Size: in.PerPage})
	out := page{
		Meta: pageMeta{
			Total: found.Total, CurrentPage: in.Page, LastPage: wire.LastPage(found.Total, in.PerPage), PerPage: in.PerPage,
			Fields: []string{}, meta: metaOf(in.RequestID),
		},
		Data: make([]summary, len(found.Items)),
	}
	for i, l := range found.Items {
		out.Data[i] = summary{ID: l.ID, Name: l.Name, OwnerIdentifier: l.OwnerIdentifier, Metadata: showMetadata(l.Metadata), ProductsCount: l.Size}
	}
	if n := len(found.Items); n > 0 {
		from := (in.Page-1)*in.PerPage + 1
		to := from + n - 1
		out.Meta.From, out.Meta.To = &from, &to
	}
	return out, err
}

type oneList struct {
	RequestID wire.RequestID
	ID        string `path:"list_id"`
}

// id is the id in the path. What is no id names no list; of the spellings that
// a UUID has, only the one in answers is one.
func (in oneList) id() (uuid.UUID, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil || len(in.ID) != len(id.String()) {
		return uuid.Nil, affiliate.NotFound("product_list", in.ID)
	}
	return id, nil
}

func (s *server) getList(ctx context.Context, p affiliate.Principal, in oneList) (listAnswer, error) {
	id, err := in.id()
	if err != nil {
		return listAnswer{}, err
	}
	c, err := s.lists.List(ctx, p.Subject, id)
	return showList(c, in.RequestID), err
}

type deleted struct {
	ID     uuid.UUID `json:"id"`
	Status string    `json:"status"`
	Meta   meta      `json:"meta"`
}

func (s *server) deleteList(ctx context.Context, p affiliate.Principal, in oneList) (deleted, error) {
	id, err := in.id()
	if err != nil {
		return deleted{}, err
	}
	return deleted{id, "deleted", metaOf(in.RequestID)}, s.lists.DeleteList(ctx, p.Subject, id)
}

type changeProducts struct {
	oneList
	ProductIDs []string `json:"product_ids" required:"true" max:"1000"`
}

type added struct {
	ListID  uuid.UUID `json:"list_id"`
	Added   []string  `json:"added_product_ids"`
	Ignored []string  `json:"ignored_product_ids"`
	Meta    meta      `json:"meta"`
}

func (s *server) addProducts(ctx context.Context, p affiliate.Principal, in changeProducts) (added, error) {
	id, err := in.id()
	if err != nil {
		return added{}, err
	}
	c, err := s.lists.AddProducts(ctx, p.Subject, id, in.ProductIDs)
	return added{id, orEmpty(c.Done), orEmpty(c.Ignored), metaOf(in.RequestID)}, err
}

type removed struct {
	ListID  uuid.UUID `json:"list_id"`
	Removed []string  `json:"removed_product_ids"`
	Ignored []string  `json:"ignored_product_ids"`
	Meta    meta      `json:"meta"`
}

func (s *server) removeProducts(ctx context.Context, p affiliate.Principal, in changeProducts) (removed, error) {
	id, err := in.id()
	if err != nil {
		return removed{}, err
	}
	c, err := s.lists.RemoveProducts(ctx, p.Subject, id, in.ProductIDs)
	return removed{id, orEmpty(c.Done), orEmpty(c.Ignored), metaOf(in.RequestID)}, err
}

// orEmpty is the ids as a list that is never null.
func orEmpty(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

// orNull is null for the empty text.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}
