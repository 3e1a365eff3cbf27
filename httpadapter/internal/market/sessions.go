package market

import (
	"context"
	"net/http"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
)

// sessionNames are the sessions of the world: identities of an OpenID provider
// that are nobody here yet. Those with a number are for requests after which a
// session is somebody.
var sessionNames = []string{"session", "session_2", "session_3", "session_4"}

// sessionOf returns the session of a request by one of the sessions.
func sessionOf(r *http.Request) (affiliate.Session, bool) {
	for _, name := range sessionNames {
		if r.Header.Get("Authorization") == Token(name) {
			return affiliate.Session{Subject: name, Email: name + "@guests.example"}, true
		}
	}
	return affiliate.Session{}, false
}

// Sessions knows the world's sessions and leaves all others to next.
func (w *World) Sessions(next interface {
	Authenticate(*http.Request) (affiliate.Principal, error)
}) Authenticator {
	return func(r *http.Request) (affiliate.Principal, error) {
		if s, ok := sessionOf(r); ok {
			return w.People.Session(r.Context(), s)
		}
		return next.Authenticate(r)
	}
}

// Authenticator is a function as an authenticator.
type Authenticator func(*http.Request) (affiliate.Principal, error)

// Authenticate calls the function.
func (a Authenticator) Authenticate(r *http.Request) (affiliate.Principal, error) { return a(r) }

// SettlePeople adds an agency, invites to the sessions and media of creators.
func (w *World) SettlePeople(ctx context.Context) {
	agency := Must(w.People.CreateAgency(ctx, "Agency", w.ID["advertiser mall_one"]))(w.T)
	w.ID["agency"] = agency.ID
	for _, name := range sessionNames {
		for _, in := range []identity.InviteInput{{AdvertiserID: w.ID["advertiser acme"]}, {AgencyID: agency.ID}} {
			in.Email = name + "@guests.example"
			if _, _, err := w.People.Invite(ctx, in); err != nil {
				w.T.Fatal(err)
			}
		}
	}
	w.Token["notification"] = "messages"
	if w.Media == nil {
		return
	}
	for _, m := range []media.Medium{
		{Type: "youtube", ExternalID: "FLR0BB4qDt8", Username: "hamida_most", Visibility: media.Shown, Favorite: true},
		{Type: "tiktok", ExternalID: "7245692137566653722", Username: "anna", UserID: w.ID["user anna"], ContentType: "video/mp4", Href: "https://media.example/anna/7245692137566653722", TagID: w.ID["tag favourites"], Group: 5},
		{Type: "instagram", ExternalID: "99", Username: "anna", UserID: w.ID["user anna"], ContentType: "image/jpeg", Href: "https://media.example/anna/99"},
		{Type: "youtube", ExternalID: "example", Username: "bo", UserID: w.ID["user bo"], Group: 5},
		{Type: "youtube", ExternalID: "example 2", Username: "bo", UserID: w.ID["user bo"]},
		{Type: "youtube", ExternalID: "example 3", Username: "bo", UserID: w.ID["user bo"]},
	} {
		m.PublishedAt = w.Clock()
		if _, _, err := w.Media.Add(ctx, m); err != nil {
			w.T.Fatal(err)
		}
	}
}

// NotificationsURL is where the world's notification service is.
const NotificationsURL = "https://notifications.example/api"

// WithNotifications sets the world's notification service.
func WithNotifications(o host.Options) host.Options {
	if o.NotificationsURL == "" {
		o.NotificationsURL, o.NotificationsTransport = NotificationsURL, roundTripper(echo)
	}
	return o
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func echo(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   bodyOf(`{"ok":true}`),
	}, nil
}

type stringBody struct{ *strings.Reader }

func (stringBody) Close() error { return nil }

func bodyOf(s string) stringBody { return stringBody{strings.NewReader(s)} }
