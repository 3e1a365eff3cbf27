package adsync_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestAnItemPostedAgainIsChangedNotDoubled(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		in := vehicle("r1")
		in.Brand, in.Model, in.Year = adsync.Sent("Volkswagen"), adsync.Sent("Jetta"), adsync.Sent(2018)
		first, created, err := w.acme.SaveItem(ctx, in)
		is.NoErr(err)
		is.True(created)
		is.Equal(first.ID.Version(), uuid.Version(7))
		is.Equal(first.Fingerprint, adsync.Fingerprint([32]byte{7}, "Volkswagen", "Jetta", 2018, "r1"))
		w.pass(time.Minute)
		again := func(in adsync.ItemInput) adsync.Item {
			t.Helper()
			got, created, err := w.acme.SaveItem(ctx, in)
			is.NoErr(err)
			is.True(!created)
			is.Equal(got.ID, first.ID)
			is.Equal(got.CreatedAt, start)
			return got
		}
		is.Equal(again(adsync.ItemInput{ID: first.ID.String(), Title: adsync.Sent("by id")}).Title, "by id")
		is.Equal(again(adsync.ItemInput{ID: strings.ToUpper(first.ID.String()), Title: adsync.Sent("BY ID")}).Title, "BY ID")
		got := again(adsync.ItemInput{ReferenceID: adsync.Sent("r1"), Title: adsync.Sent("by reference")})
		is.Equal(got.Title, "by reference")
		is.Equal(got.Brand, "Volkswagen") // what is not sent stays

		// Without a reference id the fingerprint tells.
		first, created, err = w.acme.SaveItem(ctx, adsync.ItemInput{
			AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br"), Brand: adsync.Sent("Volkswagen"), Year: adsync.Sent(2018),
		})
		is.NoErr(err)
		is.True(created)
		got, created, err = w.acme.SaveItem(ctx, adsync.ItemInput{Brand: adsync.Sent("Volkswagen"), Year: adsync.Sent(2018), Title: adsync.Sent("by fingerprint")})
		is.NoErr(err)
		is.True(!created)
		is.Equal(got.ID, first.ID)
		_, _, err = w.acme.SaveItem(ctx, adsync.ItemInput{Brand: adsync.Sent("Volkswagen"), Year: adsync.Sent(2019)}) // nobody's: it would be new
		is.Equal(problem(err), "validation_failed; ad_template_type required; available required; content_language required")

		_, _, err = w.acme.SaveItem(ctx, adsync.ItemInput{ID: uuid.NewString(), Title: adsync.Sent("x")})
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, _, err = w.acme.SaveItem(ctx, adsync.ItemInput{ID: "r1", Title: adsync.Sent("x")}) // no id
		is.True(errors.Is(err, affiliate.ErrNotFound))
		page := must(w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{}))(t)
		is.Equal(len(page.Items), 2)
	})
}

func TestAFingerprintIsOfFourValuesUnderTheAccountsKey(t *testing.T) {
	is := is.New(t)
	key := [32]byte{1}
	is.Equal(adsync.Fingerprint(key, "", "", 0, ""), "")
	seen := map[string]string{}
	for _, f := range []struct {
		brand, model string
		year         int
		reference    string
	}{
		{"a", "", 0, ""}, {"", "a", 0, ""}, {"", "", 1, ""}, {"", "", 0, "a"}, {"a", "b", 0, ""}, {"ab", "", 0, ""}, {"a\"", ",\"b", 0, ""}, {"", "", 2018, ""}, {"", "2018", 0, ""},
	} {
		got := adsync.Fingerprint(key, f.brand, f.model, f.year, f.reference)
		is.Equal(len(got), 64)
		is.Equal(seen[got], "") // no two are alike
		seen[got] = fmt.Sprint(f)
		is.True(got != adsync.Fingerprint([32]byte{2}, f.brand, f.model, f.year, f.reference))
		is.Equal(got, adsync.Fingerprint(key, f.brand, f.model, f.year, f.reference))
	}
}

func TestAnItemThatIsNotAvailableSaysSinceWhen(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		i := kept(w.acme.SaveItem(ctx, vehicle("r1")))(t)
		is.True(i.SoldOutAt.IsZero())
		set := func(available bool) adsync.Item {
			t.Helper()
			w.pass(time.Minute)
			return must(w.acme.UpdateItem(ctx, "r1", adsync.ItemInput{Available: adsync.Sent(available)}))(t)
		}
		is.Equal(set(false).SoldOutAt, start.Add(time.Minute))
		is.Equal(set(false).SoldOutAt, start.Add(time.Minute)) // it stays
		is.True(set(true).SoldOutAt.IsZero())
		is.Equal(set(false).SoldOutAt, start.Add(4*time.Minute))
	})
}

func TestAnUpdateClearsWithNullAndChecksEverything(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		in := vehicle("r1")
		in.Price, in.Year = adsync.Sent(affiliate.NewMoney(100, "BRL")), adsync.Sent(2018)
		in.Images = adsync.Sent([]adsync.Image{{URL: "https://a.example/1.jpg", Order: 1}})
		before := kept(w.acme.SaveItem(ctx, in))(t)
		update := func(in adsync.ItemInput) error {
			_, err := w.acme.UpdateItem(ctx, before.ID.String(), in)
			return err
		}
		is.Equal(problem(update(adsync.ItemInput{
			Available: adsync.Null[bool](), ContentLanguage: adsync.Sent("sv-se"), AdTemplateType: adsync.Sent("ä"), Year: adsync.Sent(99),
			Condition: adsync.Sent(adsync.Condition("old")), Link: adsync.Sent("ftp://a.example/"), Price: adsync.Sent(affiliate.NewMoney(0, "BRL")),
		})), "validation_failed; ad_template_type invalid; available required; condition invalid; content_language invalid; link invalid_url; price.amount out_of_range; year out_of_range")
		is.Equal(problem(update(adsync.ItemInput{ID: uuid.NewString()})), "id_mismatch")
		is.NoErr(update(adsync.ItemInput{ID: before.ID.String()}))
		is.Equal(must(w.acme.Item(ctx, "r1"))(t), before)

		kept(w.acme.SaveItem(ctx, vehicle("r2")))(t)
		err := update(adsync.ItemInput{ReferenceID: adsync.Sent("r2")})
		is.True(errors.Is(err, affiliate.ErrConflict))
		is.Equal(problem(err), "taken; reference_id taken")

		is.NoErr(update(adsync.ItemInput{
			ReferenceID: adsync.Null[string](), Title: adsync.Null[string](), Year: adsync.Null[int](), Price: adsync.Null[affiliate.Money](), Images: adsync.Null[[]adsync.Image](),
		}))
		after := must(w.acme.Item(ctx, before.ID.String()))(t)
		want := before
		want.ReferenceID, want.Title, want.Year, want.Price, want.Images, want.Fingerprint = "", "", 0, affiliate.Money{}, nil, ""
		is.Equal(after, want)
	})
}

func TestSixtyItemsOfOneMillisecondComeOnceEach(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		for n := range 60 {
			kept(w.acme.SaveItem(ctx, vehicle(fmt.Sprint("r", n))))(t)
		}
		var got []string
		var sizes []int
		for p := (adsync.PageRequest{}); ; {
			page := must(w.acme.Items(ctx, adsync.ItemFilter{}, p))(t)
			sizes = append(sizes, len(page.Items))
			for _, i := range page.Items {
				got = append(got, i.ReferenceID)
			}
			if !page.Next.Set {
				break
			}
			p.After = page.Next.Value
		}
		is.Equal(sizes, []int{25, 25, 10})
		for n := range 60 {
			is.Equal(got[n], fmt.Sprint("r", n)) // in the order of creation
		}
		_, err := w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{Size: 1001})
		is.Equal(problem(err), "validation_failed; page.size out_of_range")
	})
}

func TestOneAccountNeverSeesAnothersRecords(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		i := kept(w.acme.SaveItem(ctx, vehicle("shared")))(t)
		c, s, a := w.tree()
		missing := func(err error) {
			t.Helper()
			is.True(errors.Is(err, affiliate.ErrNotFound))
		}
		theirs := kept(w.bolt.SaveItem(ctx, vehicle("shared")))(t)
		is.True(theirs.ID != i.ID)
		is.Equal(must(w.bolt.Item(ctx, "shared"))(t).ID, theirs.ID)
		for _, get := range []func(*adsync.Service, string) error{
			func(s *adsync.Service, id string) error { _, err := s.Item(ctx, id); return err },
			func(s *adsync.Service, id string) error { _, err := s.Campaign(ctx, id); return err },
			func(s *adsync.Service, id string) error { _, err := s.AdSet(ctx, id); return err },
			func(s *adsync.Service, id string) error { _, err := s.Ad(ctx, id); return err },
			func(s *adsync.Service, id string) error {
				_, err := s.UpdateItem(ctx, id, adsync.ItemInput{Title: adsync.Sent("x")})
				return err
			},
			func(s *adsync.Service, id string) error {
				_, err := s.UpdateCampaign(ctx, id, adsync.CampaignInput{State: adsync.Sent(adsync.Removed)})
				return err
			},
			func(s *adsync.Service, id string) error {
				_, _, err := s.SaveAd(ctx, adsync.AdInput{ID: id, State: adsync.Sent(adsync.Removed)})
				return err
			},
			func(s *adsync.Service, id string) error {
				_, err := s.AdSetsOf(ctx, id, adsync.AdSetFilter{}, adsync.PageRequest{})
				return err
			},
			func(s *adsync.Service, id string) error {
				_, err := s.AdsOf(ctx, id, adsync.AdFilter{}, adsync.PageRequest{})
				return err
			},
		} {
			for _, id := range []uuid.UUID{i.ID, c.ID, s.ID, a.ID} {
				missing(get(w.bolt, id.String()))
			}
			is.True(errors.Is(get(w.operator.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, Subject: "acme"})), a.ID.String()), affiliate.ErrForbidden))
		}
		_, _, err := w.bolt.SaveAdSet(ctx, adSetIn(c))
		is.Equal(problem(err), "validation_failed; campaign unknown_reference")
		_, _, err = w.bolt.SaveAd(ctx, textAd(s))
		is.Equal(problem(err), "validation_failed; ad_set unknown_reference")
		_, _, err = w.bolt.SaveCampaign(ctx, campaignAt("1234567890"))
		is.Equal(problem(err), "validation_failed; ad_account unknown_reference")
		_, err = w.bolt.Campaigns(ctx, adsync.CampaignFilter{AdAccountID: "1234567890"}, adsync.PageRequest{})
		missing(err)
		is.Equal(len(must(w.bolt.Items(ctx, adsync.ItemFilter{AccountID: "acme"}, adsync.PageRequest{}))(t).Items), 1) // its own
		is.Equal(len(must(w.bolt.Campaigns(ctx, adsync.CampaignFilter{}, adsync.PageRequest{}))(t).Items), 0)
		is.Equal(len(must(w.bolt.AdSets(ctx, adsync.AdSetFilter{}, adsync.PageRequest{}))(t).Items), 0)
		is.Equal(len(must(w.bolt.Ads(ctx, adsync.AdFilter{}, adsync.PageRequest{}))(t).Items), 0)
		is.Equal(len(must(w.bolt.AdAccounts(ctx, adsync.AdAccountFilter{}, adsync.PageRequest{}))(t).Items), 1)
		is.Equal(must(w.bolt.Jobs(ctx, adsync.JobFilter{AccountID: "acme"}, affiliate.PageRequest{Number: 1, Size: 10}))(t).Total, 0)

		// The operator sees all, and works on one account at a time.
		is.Equal(must(w.operator.Item(ctx, i.ID.String()))(t).ID, i.ID)
		is.Equal(len(must(w.operator.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{}))(t).Items), 2)
		_, _, err = w.operator.SaveItem(ctx, vehicle("x"))
		is.Equal(problem(err), "validation_failed; account_id required")
		is.Equal(kept(w.operator.ForAccount("bolt").SaveCampaign(ctx, campaignAt("act_1")))(t).CreatedVia, adsync.ViaAdmin)
		_, err = w.acme.ForAccount("bolt").Item(ctx, theirs.ID.String())
		is.True(errors.Is(err, affiliate.ErrForbidden))
		for _, err := range []error{
			second(w.acme.RegisterAccount(ctx, adsync.AccountInput{ID: "x"})), second(w.acme.ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "act_9"})),
			w.acme.DisconnectAdAccount(ctx, "act_1"), w.acme.Requeue(ctx, "act_1"), second(w.acme.RequeueJobs(ctx, nil)),
		} {
			is.True(errors.Is(err, affiliate.ErrForbidden))
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestTestAccountsNeverSync(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		kept(w.tester.SaveItem(ctx, vehicle("r")))(t)
		c := kept(w.tester.SaveCampaign(ctx, campaignAt("act_1")))(t)
		s := kept(w.tester.SaveAdSet(ctx, adSetIn(c)))(t)
		kept(w.tester.SaveAd(ctx, textAd(s)))(t)
		w.connect("test", adsync.AdAccountInput{ID: "act_1", CatalogID: "1"})
		must(w.tester.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{State: adsync.Sent(adsync.Removed)}))(t)
		is.Equal(w.jobs("test"), "")

		// Credentials for tests do nothing to a live account.
		for _, err := range []error{
			func() error { _, _, err := w.as("acme", true).SaveItem(ctx, vehicle("r")); return err }(),
			func() error { _, _, err := w.as("acme", true).SaveCampaign(ctx, campaignAt("act_1")); return err }(),
		} {
			is.True(errors.Is(err, affiliate.ErrForbidden))
		}
		_, _, err := w.as("nobody", false).SaveItem(ctx, vehicle("r"))
		is.Equal(problem(err), "account_not_registered")
		_, err = w.operator.RegisterAccount(ctx, adsync.AccountInput{ID: "test"})
		is.True(errors.Is(err, affiliate.ErrConflict))
		a := must(w.operator.RegisterAccount(ctx, adsync.AccountInput{ID: "test", Test: true, Name: "renamed", FingerprintKey: [32]byte{9}}))(t)
		is.Equal(a.Name, "renamed")
		is.Equal(a.FingerprintKey, [32]byte{7}) // the key stays
		is.Equal(must(w.tester.Account(ctx, "test"))(t), a)
		_, err = w.tester.Account(ctx, "acme")
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

func TestEveryChangeOfALiveAccountQueuesAJob(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		c, s, a := w.tree()
		is.Equal(w.jobs("acme"), "campaign v1, ad_set v1, ad v1")
		must(w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{State: adsync.Sent(adsync.Paused)}))(t)
		must(w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{State: adsync.Sent(adsync.Paused)}))(t) // no change
		kept(w.acme.SaveAd(ctx, textAd(s)))(t)
		is.Equal(w.jobs("acme"), "campaign v1, ad_set v1, ad v2, ad v1")
		must(w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{State: adsync.Sent(adsync.Removed)}))(t)
		is.Equal(w.jobs("acme"), "campaign v2, ad_set v2, ad v3, ad v2")
		kept(w.acme.SaveItem(ctx, vehicle("r")))(t)
		is.Equal(w.jobs("acme"), "campaign v2, ad_set v2, ad v3, ad v2, item v1")
		kept(w.bolt.SaveItem(ctx, vehicle("r")))(t) // without a catalog
		is.Equal(w.jobs("bolt"), "")
		c = kept(w.bolt.SaveCampaign(ctx, campaignAt("act_1")))(t)
		w.connect("bolt", adsync.AdAccountInput{ID: "act_1", CatalogID: "1"}) // a catalog: everything is queued
		is.Equal(w.jobs("bolt"), "campaign v2, item v1")
		w.connect("bolt", adsync.AdAccountInput{ID: "act_1", CatalogID: "1", Name: "renamed"})
		is.Equal(w.jobs("bolt"), "campaign v2, item v1")
		is.NoErr(w.operator.ForAccount("bolt").Requeue(ctx, "act_1"))
		is.Equal(w.jobs("bolt"), "campaign v3, item v2")
		job := must(w.operator.Jobs(ctx, adsync.JobFilter{Kind: adsync.KindAd, AccountID: "acme"}, affiliate.PageRequest{Number: 1, Size: 1}))(t).Items[0]
		is.Equal(job.ParentID, s.ID)
		is.Equal(job.AdAccountID, "1234567890")
	})
}
