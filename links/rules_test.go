package links_test

import (
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestMainRule(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		mainRule := func() string {
			all, err := w.links.Rules(t.Context(), w.acme.ID)
			is.NoErr(err)
			found := ""
			for _, r := range all {
				if r.IsMain {
					found += r.URL
				}
			}
			return found
		}
		first, err := w.links.Rules(t.Context(), w.acme.ID)
		is.NoErr(err)
		is.Equal(mainRule(), "acme.example")
		w.clock.Advance(time.Minute)
		moved, err := w.links.AddRule(t.Context(), w.acme.ID, links.RuleInput{Type: links.RuleAllow, URL: "https://acme.test/", IsMain: true})
		is.NoErr(err)
		is.Equal(mainRule(), "acme.test") // another one takes the place
		is.Equal(codeOf(w.links.DeleteRule(t.Context(), w.acme.ID, moved.ID)), "main_rule")
		_, err = w.links.UpdateRule(t.Context(), w.acme.ID, moved.ID, links.RuleInput{Type: links.RuleAllow, URL: "acme.test"})
		is.Equal(codeOf(err), "main_rule")
		_, err = w.links.UpdateRule(t.Context(), w.acme.ID, moved.ID, links.RuleInput{Type: links.RuleBlock, URL: "acme.test", IsMain: true})
		is.Equal(codeOf(err), "main_rule")
		plain, err := w.links.AddRule(t.Context(), w.acme.ID, links.RuleInput{Type: links.RuleBlock, URL: "acme.test/secret", IsMain: true})
		is.NoErr(err)
		is.True(!plain.IsMain)
		is.NoErr(w.links.DeleteRule(t.Context(), w.acme.ID, plain.ID))
		back, err := w.links.UpdateRule(t.Context(), w.acme.ID, first[0].ID, links.RuleInput{Type: links.RuleAllow, URL: "acme.example/new", IsMain: true})
		is.NoErr(err)
		is.Equal(back.UpdatedAt, noon.Add(time.Minute))
		is.Equal(mainRule(), "acme.example/new")
		is.NoErr(w.links.DeleteRule(t.Context(), w.acme.ID, moved.ID))
		is.NoErr(w.links.DeleteRule(t.Context(), w.acme.ID, first[0].ID)) // the last one may go
	})
}

func TestRulesOfAnotherAdvertiserAreNotThere(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		other := w.advertiser("other", "other.example")
		r := w.rule(w.acme, links.RuleAllow, "acme.test", "")
		is.True(errors.Is(w.links.DeleteRule(t.Context(), other.ID, r.ID), affiliate.ErrNotFound))
		_, err := w.links.UpdateRule(t.Context(), other.ID, r.ID, links.RuleInput{Type: links.RuleBlock, URL: "x.example"})
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = w.links.AddRule(t.Context(), 9999, links.RuleInput{Type: links.RuleAllow, URL: "x.example"})
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = w.links.Rules(t.Context(), 9999)
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

func TestSameRuleTwiceIsAConflict(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		r := w.rule(w.acme, links.RuleAllow, "acme.test/sale", "shoes")
		_, err := w.links.AddRule(t.Context(), w.acme.ID, links.RuleInput{Type: links.RuleAllow, URL: "HTTPS://ACME.test/sale/", Keyword: "Shoes"})
		is.True(errors.Is(err, affiliate.ErrConflict))
		w.rule(w.acme, links.RuleBlock, "acme.test/sale", "shoes") // another type is another rule
		_, err = w.links.UpdateRule(t.Context(), w.acme.ID, r.ID, links.RuleInput{Type: links.RuleAllow, URL: "acme.test/sale", Keyword: "shoes"})
		is.NoErr(err) // it is not its own duplicate
	})
}

func TestRulesHoldAtOnceHereAndSoonElsewhere(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{RuleRefresh: time.Hour})
		elsewhere, err := links.NewService(b.Links, links.Options{Clock: w.clock.Now, RuleRefresh: time.Nanosecond})
		is.NoErr(err)
		reason := func(s *links.Service, url string) links.Reason {
			in, err := s.Inspect(t.Context(), links.Conversion{UserID: w.anna.ID, URL: url})
			is.NoErr(err)
			return in.Reason
		}
		for _, s := range []*links.Service{w.links, elsewhere} { // both have compiled the rules
			is.Equal(reason(s, "https://acme.test/"), links.ReasonNoAdvertiser)
		}
		r := w.rule(w.acme, links.RuleAllow, "acme.test", "")
		for _, s := range []*links.Service{w.links, elsewhere} {
			is.Equal(reason(s, "https://acme.test/"), links.ReasonNone)
		}
		_, err = w.links.UpdateRule(t.Context(), w.acme.ID, r.ID, links.RuleInput{Type: links.RuleAllow, URL: "moved.test"})
		is.NoErr(err)
		for _, s := range []*links.Service{w.links, elsewhere} {
			is.Equal(reason(s, "https://acme.test/"), links.ReasonNoAdvertiser)
			is.Equal(reason(s, "https://moved.test/"), links.ReasonNone)
		}
		is.NoErr(w.links.DeleteRule(t.Context(), w.acme.ID, r.ID))
		w.advertiser("new", "new.test")
		for _, s := range []*links.Service{w.links, elsewhere} {
			is.Equal(reason(s, "https://moved.test/"), links.ReasonNoAdvertiser)
			is.Equal(reason(s, "https://new.test/"), links.ReasonNone)
		}
	})
}

func TestCreateStoreNamesEveryBadDomainAndKeepsNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		before, err := w.core.Advertisers(t.Context(), affiliate.AdvertiserFilter{}, affiliate.PageRequest{Number: 1, Size: 1})
		is.NoErr(err)
		_, err = w.links.RegisterAdvertiser(t.Context(), links.Registration{
			Advertiser: affiliate.Advertiser{Name: "bad", Country: "SE", Currency: "SEK"},
			Domains:    []string{"good.example", "co.uk", "127.0.0.1"},
		})
		var e *affiliate.Error
		is.True(errors.As(err, &e))
		is.Equal(len(e.Fields), 2)
		is.Equal(e.Fields[0].Field, "domains.1")
		is.Equal(e.Fields[1].Field, "domains.2")
		_, err = w.links.RegisterAdvertiser(t.Context(), links.Registration{ // the advertiser itself is bad
			Advertiser: affiliate.Advertiser{Name: "bad", Country: "SE", Currency: "XXX"},
			Domains:    []string{"good.example"},
		})
		is.True(errors.Is(err, affiliate.ErrInvalid))
		_, err = w.links.RegisterAdvertiser(t.Context(), links.Registration{ // its readers would be led elsewhere
			Advertiser: affiliate.Advertiser{Name: "bad", Country: "SE", Currency: "SEK", TrackingTemplate: "https://t.example@:TARGET_URL"},
			Domains:    []string{"good.example"},
		})
		is.True(errors.As(err, &e))
		is.Equal(e.Fields[0].Field, "tracking_template")
		after, err := w.core.Advertisers(t.Context(), affiliate.AdvertiserFilter{}, affiliate.PageRequest{Number: 1, Size: 1})
		is.NoErr(err)
		is.Equal(after.Total, before.Total)

		a, err := w.links.RegisterAdvertiser(t.Context(), links.Registration{
			Advertiser: affiliate.Advertiser{Name: "good", Country: "SE", Currency: "SEK"},
			Domains:    []string{"good.example", "https://GOOD.example/", "shop.good.example"},
			Owner:      identity.Join(affiliate.RoleAgency, "a1"),
		})
		is.NoErr(err)
		rules, err := w.links.Rules(t.Context(), a.ID)
		is.NoErr(err)
		is.Equal(len(rules), 2) // one was named twice
		is.True(rules[0].IsMain)
		is.Equal(a.TrackingTemplate, ":TARGET_URL")
	})
}

func TestSourceOf(t *testing.T) {
	for _, c := range []struct {
		src, referer string
		want         affiliate.TrafficSource
	}{
		{"instagram", "", affiliate.SourceInstagram},
		{"TikTok", "https://www.youtube.com/", affiliate.SourceTikTok}, // src wins
		{"nonsense", "https://www.youtube.com/", affiliate.SourceYouTube},
		{"", "https://l.instagram.com/?u=x", affiliate.SourceInstagram},
		{"", "https://m.facebook.com/", affiliate.SourceFacebook},
		{"", "https://youtu.be/abc", affiliate.SourceYouTube},
		{"", "https://instagram.evil.example/", affiliate.SourceGeneral},
		{"", "https://blog.example/instagram", affiliate.SourceGeneral},
		{"", "::not a url", affiliate.SourceGeneral},
		{"blog", "https://www.instagram.com/", affiliate.SourceGeneral},
	} {
		if got := links.SourceOf(c.src, c.referer); got != c.want {
			t.Errorf("SourceOf(%q, %q) = %v, want %v", c.src, c.referer, got, c.want)
		}
	}
}

func TestOptionsAreValidated(t *testing.T) {
	store := struct{ links.Store }{}
	for name, o := range map[string]links.Options{
		"public URL with a slash":    {PublicURL: "https://go.example/"},
		"public URL without host":    {PublicURL: "https://"},
		"public URL of ftp":          {PublicURL: "ftp://go.example"},
		"window longer than the key": {DuplicateWindow: 25 * time.Hour},
		"negative hold":              {ClickHold: -1},
		"unknown mode":               {Clicks: 9},
	} {
		if _, err := links.NewService(store, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := links.NewService(nil, links.Options{}); err == nil {
		t.Error("no store: no error")
	}
	if _, err := links.NewService(store, links.Options{}); err != nil {
		t.Errorf("the zero Options: %v", err)
	}
}
