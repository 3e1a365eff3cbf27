package adsync_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

var start = time.Date(2026, 3, 18, 11, 42, 10, 0, time.UTC)

// world has the accounts acme and bolt, and one for tests, over one store, at an
// instant that the test moves. Acme has act_1 and 1234567890, which has a
// catalog; the others have act_1.
type world struct {
	t                  testing.TB
	operator           *adsync.Service
	acme, bolt, tester *adsync.Service
	now                *atomic.Int64
}

func (w *world) clock() time.Time     { return time.UnixMicro(w.now.Load()) }
func (w *world) pass(d time.Duration) { w.now.Add(d.Microseconds()) }

func eachBackend(t *testing.T, test func(t *testing.T, w *world)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) { test(t, newWorld(t, b)) })
}

func newWorld(t testing.TB, b storagetest.Backend) *world {
	t.Helper()
	w := &world{t: t, now: &atomic.Int64{}}
	w.now.Store(start.UnixMicro())
	var err error
	if w.operator, err = adsync.NewService(b.AdSync, adsync.Options{Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"acme", "bolt", "test"} {
		if _, err := w.operator.RegisterAccount(t.Context(), adsync.AccountInput{ID: id, Name: id, Test: id == "test", FingerprintKey: [32]byte{7}}); err != nil {
			t.Fatal(err)
		}
		w.connect(id, adsync.AdAccountInput{ID: "act_1", Name: "Social"})
	}
	w.connect("acme", adsync.AdAccountInput{ID: "1234567890", Name: "Search", CatalogID: "accounts/1/dataSources/2"})
	w.acme, w.bolt, w.tester = w.as("acme", false), w.as("bolt", false), w.as("test", true)
	return w
}

func (w *world) as(account string, test bool) *adsync.Service {
	return w.operator.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleSync, Subject: account, Test: test}))
}

func (w *world) connect(account string, in adsync.AdAccountInput) {
	w.t.Helper()
	if _, err := w.operator.ForAccount(account).ConnectAdAccount(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
}

// must is the value, or the end of the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// kept is the record of a Save call that must succeed.
func kept[T any](v T, _ bool, err error) func(testing.TB) T { return must(v, err) }

func vehicle(reference string) adsync.ItemInput {
	return adsync.ItemInput{
		ReferenceID: adsync.Sent(reference), AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(true), ContentLanguage: adsync.Sent("pt-br"),
		Title: adsync.Sent("Title of " + reference), Link: adsync.Sent("https://shop.example/" + reference),
	}
}

func campaignAt(adAccount string) adsync.CampaignInput {
	return adsync.CampaignInput{AdAccount: adAccount, Service: adsync.Sent(adsync.ServiceOf(adAccount)), State: adsync.Sent(adsync.Active)}
}

func adSetIn(campaign adsync.Campaign) adsync.AdSetInput {
	return adsync.AdSetInput{
		Campaign: campaign.ID.String(), State: adsync.Sent(adsync.Active), Bids: adsync.Sent(adsync.Bids{CPC: affiliate.Some(int64(123))}),
		Configuration: adsync.Sent(adsync.Configuration{}),
	}
}

func textAd(set adsync.AdSet) adsync.AdInput {
	return adsync.AdInput{
		AdSet: set.ID.String(), State: adsync.Sent(adsync.Active), Type: adsync.Sent(adsync.ExpandedTextAd), DestinationURL: adsync.Sent("https://shop.example/"),
		Creative: adsync.Sent(adsync.Creative{HeadlinePart1: "one", HeadlinePart2: "two", Description: "three"}),
	}
}

// tree is a campaign with an ad set and an ad of acme, at Google.
func (w *world) tree() (adsync.Campaign, adsync.AdSet, adsync.Ad) {
	w.t.Helper()
	ctx := w.t.Context()
	c := kept(w.acme.SaveCampaign(ctx, campaignAt("1234567890")))(w.t)
	s := kept(w.acme.SaveAdSet(ctx, adSetIn(c)))(w.t)
	return c, s, kept(w.acme.SaveAd(ctx, textAd(s)))(w.t)
}

// jobs are the jobs of an account: "ad_set v2", in the order in which they were
// first queued.
func (w *world) jobs(account string) string {
	w.t.Helper()
	p := must(w.operator.Jobs(w.t.Context(), adsync.JobFilter{AccountID: account}, affiliate.PageRequest{Number: 1, Size: 100}))(w.t)
	var out []string
	for _, j := range p.Items {
		out = append(out, fmt.Sprintf("%s v%d", j.Kind, j.Version))
	}
	return strings.Join(out, ", ")
}

// problem is an error in short: its code, and its fields with their codes.
func problem(err error) string {
	var e *affiliate.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	out := []string{e.Code}
	for _, f := range e.Fields {
		out = append(out, f.Field+" "+f.Code)
	}
	slices.Sort(out[1:])
	return strings.Join(out, "; ")
}
