package links_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func codeOf(err error) string {
	var e *affiliate.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestInspectAndConvertAgreeOnEveryReason(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		w := newWorld(t, b, links.Options{PublicURL: "https://go.example"})
		w.advertiser("mall one", "mall.example")
		w.advertiser("mall two", "mall.example")
		hidden := w.advertiser("hidden", "hidden.example")
		closed := w.advertiser("closed", "closed.example")
		_, err := w.core.DeactivateAdvertiser(t.Context(), closed.ID)
		w.must(err)
		_, err = w.core.UpdateAdvertiser(t.Context(), hidden.ID, func(a *affiliate.Advertiser) { a.Hidden = true })
		w.must(err)
		pathy := w.advertiser("pathy", "pathy.example/sale")
		w.rule(pathy, links.RuleBlock, "pathy.example/sale/private", "")
		w.block(w.bo, false)
		bos := w.convertWith(w.bo, pathy.ID, "https://pathy.example/sale")
		annas := w.convert(w.anna, "https://acme.example/existing")

		for _, c := range []struct {
			name string
			user affiliate.User
			url  string
			see  bool
			want string // the code; "" when it converts
		}{
			{"own domain", w.anna, "https://acme.example/shoes", false, ""},
			{"below the domain", w.anna, "https://www.acme.example/", false, ""},
			{"host in the user-info", w.anna, "https://acme.example@evil.example/", false, "no_advertiser"},
			{"host that only ends alike", w.anna, "https://notacme.example/", false, "no_advertiser"},
			{"path prefix", w.anna, "https://pathy.example/sale/x", false, ""},
			{"path that only begins alike", w.anna, "https://pathy.example/sales", false, "no_advertiser"},
			{"block beats allow", w.anna, "https://pathy.example/sale/private/x", false, "no_advertiser"},
			{"several advertisers", w.anna, "https://mall.example/", false, "ambiguous_advertiser"},
			{"hidden", w.anna, "https://hidden.example/", false, "not_visible"},
			{"hidden, in a preview", w.anna, "https://hidden.example/", true, ""},
			{"deactivated", w.anna, "https://closed.example/", false, "no_advertiser"},
			{"blocked creator", w.bo, "https://acme.example/", false, "blocked"},
			{"not approved", w.carl, "https://acme.example/", false, "user_not_approved"},
			{"not a URL", w.anna, "acme", false, "invalid_url"},
			{"another user's affiliate link", w.anna, w.links.ShortURL(bos.ID), false, "already_affiliate_link"},
		} {
			t.Run(c.name, func(t *testing.T) {
				is := is.New(t)
				request := links.Conversion{UserID: c.user.ID, URL: c.url, IgnoreVisibility: c.see}
				_, _, err := w.links.Convert(t.Context(), request)
				is.Equal(codeOf(err), c.want)
				_, dryErr := w.links.DryConvert(t.Context(), request)
				is.Equal(codeOf(dryErr), c.want)
				in, err := w.links.Inspect(t.Context(), request)
				is.NoErr(err)
				if c.want == "ambiguous_advertiser" {
					is.True(in.Convertible())
					is.Equal(len(in.Advertisers), 2)
					return
				}
				is.Equal(string(in.Reason), c.want)
				is.Equal(in.Existing.Set, c.want == "") // converted just now
			})
		}

		t.Run("one's own affiliate link converts to itself", func(t *testing.T) {
			is := is.New(t)
			request := links.Conversion{UserID: w.anna.ID, URL: w.links.ShortURL(annas.ID)}
			v, created, err := w.links.Convert(t.Context(), request)
			is.NoErr(err)
			is.Equal(v.Link.ID, annas.ID)
			is.True(!created)
			in, err := w.links.Inspect(t.Context(), request)
			is.NoErr(err)
			is.Equal(in.Reason, links.ReasonAffiliateLink)
			is.Equal(in.Existing.Value.Link.ID, annas.ID)
		})
	})
}

func (w *world) convertWith(u affiliate.User, advertiserID int64, url string) links.Link {
	w.t.Helper()
	v, _, err := w.links.Convert(w.t.Context(), links.Conversion{UserID: u.ID, URL: url, AdvertiserID: advertiserID})
	w.must(err)
	return v.Link
}

func TestAmbiguousErrorNamesTheAdvertisersAndNamingOneConverts(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		one, two := w.advertiser("one", "mall.example"), w.advertiser("two", "mall.example")
		_, _, err := w.links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://mall.example/"})
		var ambiguous *links.AmbiguousError
		is.True(errors.As(err, &ambiguous))
		is.Equal(len(ambiguous.Advertisers), 2)
		is.Equal(ambiguous.Advertisers[0].ID, one.ID)
		is.Equal(w.convertWith(w.anna, two.ID, "https://mall.example/").AdvertiserID, two.ID)
	})
}

// Package affiliate knows no URLs: what it takes as a template may lead
// anywhere, so no link is made with it.
func TestNoLinkIsMadeWithATemplateThatLeadsElsewhere(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		_, err := w.core.UpdateAdvertiser(t.Context(), w.acme.ID, func(a *affiliate.Advertiser) { a.TrackingTemplate = "https://t.example@:TARGET_URL" })
		is.NoErr(err)
		for _, convert := range []func() error{
			func() error {
				_, _, err := w.links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/"})
				return err
			},
			func() error {
				_, err := w.links.DryConvert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/"})
				return err
			},
		} {
			var e *affiliate.Error
			is.True(errors.As(convert(), &e))
			is.Equal(e.Fields[0].Field, "tracking_template")
		}
	})
}

func TestConvertingAgainAnswersTheSameLink(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		first := w.convert(w.anna, " https://ACME.example:443/a/../shoes?b=1#top ")
		is.Equal(first.OriginalURL, "https://ACME.example:443/a/../shoes?b=1#top")
		is.Equal(first.TargetURL, "https://acme.example/shoes?b=1#top")
		v, created, err := w.links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/shoes?b=1"})
		is.NoErr(err)
		is.True(!created)
		is.Equal(v.Link, first)
		is.True(w.convert(w.anna, "http://acme.example/shoes?b=1").ID != first.ID) // another URL
		bo, created, err := w.links.Convert(t.Context(), links.Conversion{UserID: w.bo.ID, URL: "https://acme.example/shoes?b=1"})
		is.NoErr(err)
		is.True(created) // another user
		is.True(bo.Link.ID != first.ID)

		is.NoErr(w.links.DeleteLink(t.Context(), first.ID))
		_, err = w.links.Link(t.Context(), first.ID)
		is.True(errors.Is(err, affiliate.ErrNotFound))
		revived, created, err := w.links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/shoes?b=1"})
		is.NoErr(err)
		is.True(created)
		is.Equal(revived.Link.ID, first.ID)
		is.True(revived.Link.DeletedAt.IsZero())
	})
}

func TestManyConversionsAtOnceMakeOneLink(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		const n = 8
		var wg sync.WaitGroup
		ids, created, errs := make([]int64, n), make([]bool, n), make([]error, n)
		for i := range n {
			wg.Go(func() {
				var v links.LinkView
				v, created[i], errs[i] = w.links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/once"})
				ids[i] = v.Link.ID
			})
		}
		wg.Wait()
		made := 0
		for i := range n {
			is.NoErr(errs[i])
			is.Equal(ids[i], ids[0])
			if created[i] {
				made++
			}
		}
		is.Equal(made, 1)
		page, err := w.links.LinkList(t.Context(), links.LinkFilter{UserID: w.anna.ID}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(page.Total, 1)
	})
}

func TestDryConversionKeepsNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		v, err := w.links.DryConvert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: "https://acme.example/dry"})
		is.NoErr(err)
		is.Equal(v.Link.ID, int64(0))
		page, err := w.links.LinkList(t.Context(), links.LinkFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
		is.NoErr(err)
		is.Equal(page.Total, 0)
	})
}

func TestCreatorsSeeOnlyVisibleAdvertisersThatWantThem(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		byTag, byClient, closed, hidden := w.advertiser("by tag", "a.example"), w.advertiser("by client", "b.example"), w.advertiser("closed", "c.example"), w.advertiser("hidden", "d.example")
		_, err := w.core.DeactivateAdvertiser(t.Context(), closed.ID)
		is.NoErr(err)
		_, err = w.core.UpdateAdvertiser(t.Context(), hidden.ID, func(a *affiliate.Advertiser) { a.Hidden = true })
		is.NoErr(err)
		_, err = w.core.Block(t.Context(), byTag.ID, affiliate.Actor{}, affiliate.BlockInput{UserTagIDs: []int64{w.tag}})
		is.NoErr(err)
		_, err = w.core.Block(t.Context(), byClient.ID, affiliate.Actor{}, affiliate.BlockInput{ClientIDs: []int64{w.client}})
		is.NoErr(err)
		names := func(u affiliate.User) string {
			page, err := w.core.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, UserID: u.ID})).Advertisers(t.Context(), affiliate.AdvertiserFilter{}, affiliate.PageRequest{Number: 1, Size: 10})
			is.NoErr(err)
			var out []string
			for _, a := range page.Items {
				out = append(out, a.Name)
			}
			return strings.Join(out, ", ")
		}
		is.Equal(names(w.anna), "acme")
		is.Equal(names(w.bo), "acme, by tag, by client")
	})
}

func TestBlockRefusesWhatItCannotNameAndAddsNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		other := w.advertiser("other", "other.example")
		foreign, err := w.core.CreateUserTag(t.Context(), affiliate.UserTag{Name: "x", Slug: "x", AccessLevel: affiliate.AccessStore, AdvertiserID: other.ID})
		is.NoErr(err)
		_, err = w.core.Block(t.Context(), w.acme.ID, affiliate.Actor{}, affiliate.BlockInput{
			Users:      []affiliate.BlockedUser{{ID: w.anna.ID}, {ID: 9999}},
			UserTagIDs: []int64{foreign.ID},
			ClientIDs:  []int64{-1},
		})
		var e *affiliate.Error
		is.True(errors.As(err, &e))
		var fields []string
		for _, f := range e.Fields {
			fields = append(fields, f.Field)
		}
		is.Equal(fields, []string{"users.1", "user_tag_ids.0", "client_ids.0"})
		list := func() affiliate.Page[affiliate.BlocklistView] {
			page, err := w.core.Blocklist(t.Context(), affiliate.BlocklistFilter{AdvertiserID: w.acme.ID}, affiliate.PageRequest{Number: 1, Size: 10})
			is.NoErr(err)
			return page
		}
		is.Equal(list().Total, 0)

		entry := w.block(w.anna, true)
		again, err := w.core.Block(t.Context(), w.acme.ID, affiliate.Actor{}, affiliate.BlockInput{Users: []affiliate.BlockedUser{{ID: w.anna.ID}, {ID: w.bo.ID}}})
		is.NoErr(err)
		is.Equal(len(again), 1) // anna is there already
		is.Equal(again[0].User.Username, "bo")
		is.Equal(list().Total, 2)
		is.True(list().Items[0].Entry.ValidateClicks) // and stays as she was
		is.True(errors.Is(w.core.Unblock(t.Context(), other.ID, entry.ID), affiliate.ErrNotFound))
		is.NoErr(w.core.Unblock(t.Context(), w.acme.ID, entry.ID))
		is.Equal(list().Total, 1)
	})
}
