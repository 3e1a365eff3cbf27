package metapic

import (
	"context"
	"errors"
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

type affiliateLink struct {
	ID          *int64  `json:"id"` // null: not kept
	URL         string  `json:"url"`
	OriginalURL string  `json:"original_url"`
	ShortURL    *string `json:"mtpc_url"` // null: not kept
	UserID      *int64  `json:"user_id"`  // null: nobody's
	Country     string  `json:"country"`
	Provider    string  `json:"provider"`
	Advertiser  store   `json:"advertiser"`
}

func (s *server) showLink(v links.LinkView) affiliateLink {
	shown := affiliateLink{
		URL: v.Link.TrackingURL(), OriginalURL: v.Link.OriginalURL, UserID: laravel.IDOrNull(v.Link.UserID),
		Country: v.Advertiser.Country, Provider: v.Advertiser.Provider, Advertiser: showStore(v.Advertiser),
	}
	if v.Link.ID != 0 {
		short := s.links.ShortURL(v.Link.ID)
		shown.ID, shown.ShortURL = &v.Link.ID, &short
	}
	return shown
}

// advertiserChoice is an advertiser to choose.
type advertiserChoice struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	LogoURL  string `json:"logo_url"`
	Currency string `json:"currency"`
	// Unverified is there, and true, in inspections of a URL whose domain nobody has proven.
	Unverified bool `json:"unverified,omitempty"`
}

func showChoice(a affiliate.Advertiser) advertiserChoice {
	return advertiserChoice{ID: a.ID, Name: a.Name, LogoURL: a.LogoURL, Currency: string(a.Currency)}
}

// getLink shows a creator its own links, a client those of its users, an admin
// any.
func (s *server) getLink(ctx context.Context, _ affiliate.Principal, in struct {
	ID int64 `path:"id"`
}) (link affiliateLink, err error) {
	v, err := s.links.Link(ctx, in.ID)
	if err != nil {
		return link, err
	}
	return s.showLink(v), nil
}

type inspectURL struct {
	UserID           int64  `path:"user_id"`
	URL              string `json:"url" required:"true"`
	IgnoreVisibility bool   `json:"ignore_advertiser_visibility"`
}

type inspection struct {
	URL         string             `json:"url"`
	Convertible bool               `json:"convertible"`
	Reason      *string            `json:"reason"`
	Existing    *affiliateLink     `json:"existing_affiliate_link"`
	Advertisers []advertiserChoice `json:"advertisers"`
}

func (s *server) inspectURL(ctx context.Context, _ affiliate.Principal, in inspectURL) (inspection, error) {
	i, err := s.links.Inspect(ctx, links.Conversion{UserID: in.UserID, URL: in.URL, IgnoreVisibility: in.IgnoreVisibility})
	if err != nil {
		return inspection{}, err
	}
	out := inspection{URL: i.URL, Convertible: i.Convertible(), Advertisers: laravel.ShowAll(i.Advertisers, showChoice)}
	for n := range out.Advertisers {
		out.Advertisers[n].Unverified = i.Unverified
	}
	if i.Reason != links.ReasonNone {
		reason := string(i.Reason)
		out.Reason = &reason
	}
	if i.Existing.Set {
		existing := s.showLink(i.Existing.Value)
		out.Existing = &existing
	}
	return out, nil
}

type convertURL struct {
	UserID           int64  `path:"user_id"`
	URL              string `json:"url" required:"true"`
	AdvertiserID     int64  `json:"advertiser_id" min:"1"`
	IgnoreVisibility bool   `json:"ignore_advertiser_visibility"`
}

func (s *server) convertURL(ctx context.Context, _ affiliate.Principal, in convertURL) (reply wire.Reply[affiliateLink], err error) {
	v, created, err := s.links.Convert(ctx, links.Conversion{UserID: in.UserID, URL: in.URL, AdvertiserID: in.AdvertiserID, IgnoreVisibility: in.IgnoreVisibility})
	return wire.Reply[affiliateLink]{Status: statusOf(created), Body: s.showLink(v)}, err
}

func statusOf(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}

// createLink is the body of the deprecated routes.
type createLink struct {
	URL          string `json:"url" required:"true"`
	AdvertiserID int64  `json:"advertiser_id" min:"1"`
	Preview      bool   `json:"advertiser_preview"`
	GroupID      int64  `json:"advertiser_group_id" min:"1"`
	Dry          bool   `json:"dry"`
}

// linkOrChoice is what the deprecated routes return.
type linkOrChoice = wire.Either[affiliateLink, choice]

// choice is the deprecated routes' answer to a URL that several advertisers have.
type choice struct {
	Advertisers []advertiserChoice `json:"advertisers"`
}

func (s *server) createOwnLink(ctx context.Context, p affiliate.Principal, in createLink) (wire.Reply[linkOrChoice], error) {
	return s.create(ctx, p.UserID, in)
}

func (s *server) createLink(ctx context.Context, _ affiliate.Principal, in struct {
	UserID int64 `path:"user_id"`
	createLink
}) (wire.Reply[linkOrChoice], error) {
	return s.create(ctx, in.UserID, in.createLink)
}

func (s *server) create(ctx context.Context, userID int64, in createLink) (reply wire.Reply[linkOrChoice], err error) {
	c := links.Conversion{UserID: userID, URL: in.URL, AdvertiserID: in.AdvertiserID, GroupID: in.GroupID, IgnoreVisibility: in.Preview}
	var view links.LinkView
	var created bool
	// A dry run first: its refusal leaves the unit of an idempotency key alive.
	view, err = s.links.DryConvert(ctx, c)
	if in.Dry {
		view.Link.ID = 0 // also of a link that is there: a dry run shows none
	} else if err == nil {
		view, created, err = s.links.Convert(ctx, c)
	}
	if several, ok := errors.AsType[*links.AmbiguousError](err); ok {
		return wire.Reply[linkOrChoice]{Status: http.StatusOK, Body: wire.Second[affiliateLink](choice{Advertisers: laravel.ShowAll(several.Advertisers, showChoice)})}, nil
	}
	return wire.Reply[linkOrChoice]{Status: statusOf(created), Body: wire.First[affiliateLink, choice](s.showLink(view))}, err
}
