package advertiser

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// mediaPage is how many media a page has.
const mediaPage = 8

// medium is a picture or video of a creator, with what the creator brought to
// the store in the last 30 days. Amounts are minor units.
type medium struct {
	ID         int64            `json:"id"`
	Username   string           `json:"username"`
	URL        string           `json:"url"` // below /stores/{id}; a whole URL of what is no file
	Type       string           `json:"type"`
	CreatedAt  laravel.DateTime `json:"created_at"`
	Clicks     string           `json:"clicks"`
	Orders     int64            `json:"nr_orders"`
	OrderValue int64            `json:"order_value"`
	Cost       int64            `json:"cost"`
}

// mediumPath is where the file of a medium is.
func mediumPath(m media.Medium) string {
	if name := m.FileName(); name != "" {
		return "/instagramStorys/" + m.Username + "/" + name
	}
	if m.Href == "" && m.Type == "youtube" {
		return "https://www.youtube.com/watch?v=" + m.ExternalID
	}
	return m.Href
}

func (s *server) listMedia(ctx context.Context, p affiliate.Principal, in struct {
	StoreID    int64 `path:"id"`
	URL        wire.URL
	Page       int    `query:"page" default:"1" min:"1" max:"1000000000"`
	Type       string `query:"type" enum:"image,instagram"`
	Identifier string `query:"identifier" max:"255"`
	OrderBy    string `query:"order_by" enum:"created_at,clicks"`
}) (list laravel.FlatList[medium], err error) {
	viewer := affiliate.ViewerOf(p)
	brought, err := s.brought(ctx, viewer, in.StoreID)
	if err != nil {
		return list, err
	}
	f := media.AdvertiserFilter{Images: in.Type == "image", Username: in.Identifier}
	if in.Type == "instagram" {
		f.Type = in.Type
	}
	if in.OrderBy == "clicks" {
		f.First = byClicks(brought)
	}
	req := affiliate.PageRequest{Number: in.Page, Size: mediaPage}
	page, err := s.media.For(viewer).AtAdvertiser(ctx, in.StoreID, f, req)
	return laravel.NewFlatList(in.URL, req, page, func(m media.Medium) medium {
		row := brought[m.UserID]
		return medium{
			ID: m.ID, Username: m.Username, URL: mediumPath(m), Type: m.Type, CreatedAt: laravel.DateTime(m.CreatedAt),
			Clicks: text(row.Clicks), Orders: row.Orders, OrderValue: row.OrderValue, Cost: row.Cost(),
		}
	}), err
}

// brought is what each creator brought to a store in the last 30 days.
func (s *server) brought(ctx context.Context, viewer affiliate.Viewer, storeID int64) (map[int64]stats.Row, error) {
	return s.stats.For(viewer).LastDays(ctx, storeID)
}

// byClicks are the creators with clicks, most of them first.
func byClicks(brought map[int64]stats.Row) []int64 {
	var ids []int64
	for id, row := range brought {
		if row.Clicks > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b int64) int {
		if more := brought[b].Clicks - brought[a].Clicks; more != 0 {
			return int(min(max(more, -1), 1))
		}
		return int(min(max(a-b, -1), 1))
	})
	return ids
}

// getMediaObject returns the file of a medium. What is not kept here is where
// the network has it: the answer sends the client there.
func (s *server) getMediaObject(ctx context.Context, p affiliate.Principal, in struct {
	StoreID  int64  `path:"id"`
	Username string `path:"username"`
	Image    string `path:"image"`
}) (out wire.Stream, err error) {
	file, err := s.media.For(affiliate.ViewerOf(p)).FileAt(ctx, in.StoreID, in.Username, in.Image)
	if err != nil {
		return out, err
	}
	if file.Content == nil {
		return wire.Stream{
			Status: http.StatusFound, ContentType: file.ContentType, Header: http.Header{"Location": {file.Href}},
			Write: func(io.Writer) error { return nil },
		}, nil
	}
	return wire.Stream{
		ContentType: file.ContentType,
		Header:      http.Header{"Content-Length": {strconv.Itoa(len(file.Content))}, "X-Content-Type-Options": {"nosniff"}},
		Write: func(w io.Writer) error {
			_, err := w.Write(file.Content)
			return err
		},
	}, nil
}
