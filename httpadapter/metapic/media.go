package metapic

import (
	"context"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/exports"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

// mediaPage is how many media a page has.
const mediaPage = 5

type listMedia struct {
	URL      wire.URL
	Page     int                 `query:"page" default:"1" min:"1" max:"1000000000"`
	Query    string              `query:"query" max:"255"`
	Status   string              `query:"status" enum:"all,0,1,2"`
	Type     string              `query:"type" enum:"all,instagram,tiktok,youtube"`
	Favorite string              `query:"favorite" enum:"all,1,0"`
	Group    int64               `query:"group" min:"1"`
	Format   string              `query:"format" enum:"csv,xlsx,json"`
	BOM      wire.Optional[bool] `query:"bom"`
}

func (in listMedia) filter() media.Filter {
	f := media.Filter{Query: in.Query, Group: in.Group}
	if in.Type != "all" {
		f.Type = in.Type
	}
	if n, err := strconv.ParseUint(in.Status, 10, 8); err == nil {
		f.Visibility = affiliate.Some(media.Visibility(n))
	}
	if in.Favorite == "0" || in.Favorite == "1" {
		f.Favorite = affiliate.Some(in.Favorite == "1")
	}
	return f
}

// medium shows the network's id of a video, or the place of a file.
type medium struct {
	ID          int64             `json:"id"`
	MediaType   string            `json:"media_type"`
	MediaID     string            `json:"media_id,omitempty"`
	Username    string            `json:"username"`
	TagID       *int64            `json:"tag_id"`
	UserID      *int64            `json:"user_id"`
	Favorite    int               `json:"favorite"`
	ShowStore   int               `json:"show_store"`
	PublishedAt string            `json:"published_at"`
	CreatedAt   laravel.Timestamp `json:"created_at"`
	UpdatedAt   laravel.Timestamp `json:"updated_at"`
	Media       *mediaFile        `json:"media,omitempty"`
	Clicks      int64             `json:"clicks"`
	Orders      int64             `json:"orders"`
	Cost        int64             `json:"cost"`
}

type mediaFile struct {
	ContentType string `json:"content_type"`
	Href        string `json:"href"`
}

// shownMedium is a medium with what the links of its creator brought.
type shownMedium struct {
	media.Medium
	links.CreatorTotals
}

func showMedium(m shownMedium) medium {
	out := medium{
		ID: m.ID, MediaType: m.Type, Username: m.Username, TagID: laravel.IDOrNull(m.TagID), UserID: laravel.IDOrNull(m.UserID), ShowStore: int(m.Visibility),
		PublishedAt: m.PublishedAt.Format("2006-01-02"), CreatedAt: laravel.Timestamp(m.CreatedAt), UpdatedAt: laravel.Timestamp(m.UpdatedAt),
		Clicks: m.Clicks, Orders: m.Orders, Cost: m.Cost,
	}
	if m.Favorite {
		out.Favorite = 1
	}
	if m.Href == "" {
		out.MediaID = m.ExternalID
	} else {
		out.Media = &mediaFile{ContentType: m.ContentType, Href: m.Href}
	}
	return out
}

// mediaColumns are those of an export.
func mediaColumns() []exports.Column[shownMedium] {
	column := exports.NewColumn[shownMedium]
	return []exports.Column[shownMedium]{
		column("id", func(m shownMedium) any { return m.ID }),
		column("media_type", func(m shownMedium) any { return m.Type }),
		column("media_id", func(m shownMedium) any { return m.ExternalID }),
		column("href", func(m shownMedium) any { return m.Href }),
		column("username", func(m shownMedium) any { return m.Username }),
		column("user_id", func(m shownMedium) any { return emptyForZero(m.UserID) }),
		column("tag_id", func(m shownMedium) any { return emptyForZero(m.TagID) }),
		column("favorite", func(m shownMedium) any { return m.Favorite }),
		column("show_store", func(m shownMedium) any { return int64(m.Visibility) }),
		column("published_at", func(m shownMedium) any { return m.PublishedAt.Format("2006-01-02") }),
		column("clicks", func(m shownMedium) any { return m.Clicks }),
		column("orders", func(m shownMedium) any { return m.Orders }),
		column("cost", func(m shownMedium) any { return m.Cost }),
	}
}

func emptyForZero(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// olderPage is the pager that the document shows here: all at the top, and
// buttons without the number of their page.
type olderPage struct {
	CurrentPage  int         `json:"current_page"`
	Data         []medium    `json:"data"`
	FirstPageURL string      `json:"first_page_url"`
	From         *int        `json:"from"`
	LastPage     int         `json:"last_page"`
	LastPageURL  string      `json:"last_page_url"`
	Links        []olderLink `json:"links"`
	NextPageURL  *string     `json:"next_page_url"`
	Path         string      `json:"path"`
	PerPage      int         `json:"per_page"`
	PrevPageURL  *string     `json:"prev_page_url"`
	To           *int        `json:"to"`
	Total        int         `json:"total"`
}

type olderLink struct {
	URL    *string `json:"url"`
	Label  string  `json:"label"`
	Active bool    `json:"active"`
}

func newOlderPage(l laravel.List[medium]) olderPage {
	out := olderPage{
		CurrentPage: l.Meta.CurrentPage, Data: l.Data, FirstPageURL: l.Links.First, From: l.Meta.From, LastPage: l.Meta.LastPage,
		LastPageURL: l.Links.Last, NextPageURL: l.Links.Next, Path: l.Meta.Path, PerPage: l.Meta.PerPage, PrevPageURL: l.Links.Prev,
		To: l.Meta.To, Total: l.Meta.Total,
	}
	for _, link := range l.Meta.Links {
		out.Links = append(out.Links, olderLink{link.URL, link.Label, link.Active})
	}
	return out
}

func (s *server) listMedia(ctx context.Context, p affiliate.Principal, in listMedia) (list exports.Exported[olderPage], err error) {
	own := s.media.For(affiliate.ViewerOf(p))
	page := func(ctx context.Context, req affiliate.PageRequest) (affiliate.Page[shownMedium], error) {
		found, err := own.List(ctx, in.filter(), req)
		if err != nil {
			return affiliate.Page[shownMedium]{}, err
		}
		items, err := s.withClicks(ctx, found.Items)
		return affiliate.Page[shownMedium]{Items: items, Total: found.Total}, err
	}
	if in.Format == exports.CSV || in.Format == exports.XLSX {
		table := exports.Table[shownMedium]{Name: "user-media", Columns: mediaColumns(), Rows: exports.Batches(affiliate.Sort{}, page)}
		return exports.AsFile[olderPage](table.Export(ctx, own.Snapshot, exports.FileForm{Format: in.Format, BOM: in.BOM}))
	}
	req := affiliate.PageRequest{Number: in.Page, Size: mediaPage}
	found, err := page(ctx, req)
	if err != nil {
		return list, err
	}
	shown := laravel.NewList(in.URL, req, found, showMedium)
	return wire.First[olderPage, wire.Stream](newOlderPage(shown)), nil
}

// withClicks adds what the links of the creators brought in the last 30 days.
func (s *server) withClicks(ctx context.Context, items []media.Medium) ([]shownMedium, error) {
	var users []int64
	for _, m := range items {
		if m.UserID != 0 {
			users = append(users, m.UserID)
		}
	}
	totals, err := s.links.TotalsOf(ctx, users)
	return laravel.ShowAll(items, func(m media.Medium) shownMedium {
		return shownMedium{m, totals[m.UserID]}
	}), err
}

// upload is an image that nothing refers to yet.
func (s *server) uploadImage(ctx context.Context, _ affiliate.Principal, in struct {
	Image wire.File `json:"image" required:"true"`
}) (laravel.Image, error) {
	data, err := laravel.Picture(in.Image)
	if err != nil {
		return laravel.Image{}, err
	}
	key, err := s.offers.Upload(ctx, data)
	return laravel.ShowImage(s.publicURL(), key), err
}
