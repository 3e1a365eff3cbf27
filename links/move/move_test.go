package move_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/offers"
)

// verified fails unless every recount of a place is empty.
func verified(t testing.TB, where string, p *place) {
	t.Helper()
	for _, verify := range []func() ([]affiliate.Difference, error){
		func() ([]affiliate.Difference, error) { return p.Core.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.Links.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.Orders.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.ReturnAds.Verify(t.Context()) },
		func() ([]affiliate.Difference, error) { return p.Payouts.Verify(t.Context()) },
	} {
		diffs, err := verify()
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		for _, d := range diffs {
			t.Errorf("%s: %s", where, d)
		}
	}
}

func (m *market) export(t testing.TB, o move.ExportOptions) ([]byte, move.Summary) {
	t.Helper()
	if _, err := m.Core.DeactivateAdvertiser(t.Context(), m.shop.ID); err != nil {
		t.Fatal(err)
	}
	o.Clock = m.clock
	var out bytes.Buffer
	s, err := move.Export(t.Context(), m.db.Moves(), &out, m.shop.ID, o)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), s
}

func TestAShopMovesWithEverythingThatHangsOnIt(t *testing.T) {
	places := map[string]func(testing.TB) *place{"memory": inMemory, "postgres": onPostgres}
	for from, source := range places {
		for to, target := range places {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				is := is.New(t)
				m := newMarket(t, source(t))
				verified(t, "there", m.place)
				file, exported := m.export(t, move.ExportOptions{People: true, Blobs: m.blobs})
				there := target(t)
				there.now = m.now
				imported, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), move.ImportOptions{AddMissing: true, Blobs: there.blobs, Clock: there.clock})
				is.NoErr(err)
				is.Equal(imported, exported)
				here, err := move.Summarize(t.Context(), there.db.Moves(), m.shop.ID)
				is.NoErr(err)
				is.Equal(here, exported)
				verified(t, "here", there)
				owed(t, m, there)
				goesOn(t, m, there)
				verified(t, "here, later", there)
			})
		}
	}
}

// fileLine is a line of an export.
type fileLine struct {
	Kind move.Kind       `json:"kind"`
	Row  json.RawMessage `json:"row"`
}

// linesOf reads an export without the package's help.
func linesOf(t *testing.T, file []byte) (lines []fileLine) {
	t.Helper()
	is := is.New(t)
	zip, err := gzip.NewReader(bytes.NewReader(file))
	is.NoErr(err)
	for d := json.NewDecoder(zip); ; {
		var l fileLine
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			return lines
		}
		is.NoErr(err)
		lines = append(lines, l)
	}
}

// goesOn uses the shop in its new place: its old links, its orders, its budgets.
func goesOn(t *testing.T, m *market, there *place) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	_, err := there.Core.UpdateAdvertiser(ctx, m.shop.ID, func(a *affiliate.Advertiser) { a.Status = affiliate.AdvertiserActive })
	is.NoErr(err)

	again, outcome, err := there.Orders.Report(ctx, m.reported[0])
	is.NoErr(err)
	is.Equal(outcome, orders.Known) // it was told before the move
	is.Equal(again.ID, m.orders[0].ID)

	got, err := there.Links.Follow(ctx, links.Hit{LinkID: m.links[0].ID, IP: "198.51.100.7", UserAgent: "Firefox"})
	is.NoErr(err)
	is.Equal(got.Click.Value.Verdict, links.VerdictValid)
	is.True(strings.HasPrefix(got.URL, "https://acme.example/shoes?mtpc_cid="))
	is.Equal(got.Click.Value.OfferID, m.offers[0].ID)

	late, outcome, err := there.Orders.Report(ctx, orders.Report{AdvertiserID: m.shop.ID, Number: "late", Value: decimal.New(100, 0), ClickIDs: m.idsOf(m.clicks[39])})
	is.NoErr(err)
	is.Equal(outcome, orders.Added)
	is.Equal(late.UserID, m.clicks[39].UserID) // a click from before the move pays

	same, isNew, err := there.Links.Convert(ctx, links.Conversion{UserID: m.users[0].ID, URL: "https://acme.example/shoes"})
	is.NoErr(err)
	is.Equal(same.Link.ID, m.links[0].ID)
	is.True(!isNew)
	_, isNew, err = there.Links.Convert(ctx, links.Conversion{UserID: m.users[0].ID, URL: "https://acme.example/new"})
	is.NoErr(err)
	is.True(isNew) // and its id is nobody's

	// The shared budget is filled to the last click that fits, counted from before the move.
	const price = 21
	before := spent(t, there, m.budget.ID)
	is.True(before > 0)
	is.Equal(before, spent(t, m.place, m.budget.ID))
	for n := range 60 {
		there.now = there.now.Add(time.Minute)
		_, err := there.Links.Follow(ctx, links.Hit{LinkID: m.links[4].ID, IP: fmt.Sprintf("203.0.113.%d", n), UserAgent: "Firefox"})
		is.NoErr(err)
	}
	is.Equal(spent(t, there, m.budget.ID), before+(m.budget.Amount-before)/price*price)

	_, order, err := there.Orders.Refund(ctx, m.orders[4].ID, orders.RefundInput{Reference: "R-9", Value: affiliate.Some(decimal.New(50, 0))})
	is.NoErr(err)
	is.True(order.Refunded.Equal(decimal.New(50, 0)))
}

func spent(t *testing.T, p *place, budgetID int64) int64 {
	t.Helper()
	counts, err := affiliate.Read(t.Context(), p.db.Offers(), func(ctx context.Context, tx offers.Tx) (map[offers.UsageKey]offers.Counts, error) {
		return tx.Usage().Get(ctx, []offers.UsageKey{offers.SharedUsage(budgetID)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts[offers.SharedUsage(budgetID)].Spent
}

// What the shop refers to and is not there is named, all of it at once.
func TestWhatIsMissingIsNamed(t *testing.T) {
	is := is.New(t)
	m := newMarket(t, inMemory(t))
	names, _ := m.export(t, move.ExportOptions{})
	whole, _ := m.export(t, move.ExportOptions{People: true})
	fields := func(there *place, file []byte, o move.ImportOptions) map[string]string {
		o.Clock = there.clock
		_, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Code != "missing" {
			t.Fatalf("got %v, want what is missing", err)
		}
		out := map[string]string{}
		for _, f := range e.Fields {
			out[f.Field] = f.Message
		}
		advertisers, err := there.Core.Advertisers(t.Context(), affiliate.AdvertiserFilter{}, affiliate.PageRequest{})
		is.NoErr(err)
		is.Equal(advertisers.Total, 0)
		return out
	}
	is.Equal(fields(inMemory(t), names, move.ImportOptions{}), map[string]string{
		"group.1": `"sv_SE" is not here`, "category.1": `"Shoes" is not here`, "client.1": `"agency" is not here`, "shared_tag.1": `"everywhere" is not here`,
		"user.1": `"anna" is not here`, "user.2": `"bo" is not here`, "user.3": `"carla of client 1" is not here`, "user.4": `"dora" is not here`,
	})
	is.Equal(len(fields(inMemory(t), whole, move.ImportOptions{})), 8)
	is.Equal(fields(inMemory(t), names, move.ImportOptions{AddMissing: true})["user.2"], `"bo" is not here, and the export has no more than the name`)

	there := inMemory(t)
	_, err := there.Core.CreateUser(t.Context(), affiliate.User{Username: "anton"})
	is.NoErr(err)
	is.Equal(fields(there, whole, move.ImportOptions{AddMissing: true}), map[string]string{"user.1": `is "anton" here and "anna" in the export`})
}

// Two shops follow each other, and find their creators there.
func TestASecondShopFindsItsCreators(t *testing.T) {
	is := is.New(t)
	m := newMarket(t, inMemory(t))
	first, _ := m.export(t, move.ExportOptions{People: true})
	m.shop = m.other
	second, exported := m.export(t, move.ExportOptions{})
	there := inMemory(t)
	there.now = m.now
	o := move.ImportOptions{AddMissing: true, Clock: there.clock}
	_, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(first), o)
	is.NoErr(err)
	got, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(second), move.ImportOptions{Clock: there.clock})
	is.NoErr(err)
	is.Equal(got, exported)
	verified(t, "both", there)
	owed(t, m, there)
}

func TestWhatCannotMoveIsRefused(t *testing.T) {
	is := is.New(t)
	m := newMarket(t, inMemory(t))
	_, err := move.Export(t.Context(), m.db.Moves(), io.Discard, m.shop.ID, move.ExportOptions{})
	is.True(errors.Is(err, affiliate.ErrState)) // it takes part
	_, err = move.Export(t.Context(), m.db.Moves(), io.Discard, 99, move.ExportOptions{})
	is.True(errors.Is(err, affiliate.ErrNotFound))
	file, _ := m.export(t, move.ExportOptions{People: true})
	before, err := move.Summarize(t.Context(), m.db.Moves(), m.shop.ID)
	is.NoErr(err)
	_, err = move.Import(t.Context(), m.db.Moves(), bytes.NewReader(file), move.ImportOptions{Clock: m.clock})
	is.True(errors.Is(err, affiliate.ErrConflict)) // it is there
	after, err := move.Summarize(t.Context(), m.db.Moves(), m.shop.ID)
	is.NoErr(err)
	is.Equal(after, before)
	verified(t, "there", m.place)
}

// What retention gave up is not there either, and Verify knows of it.
func TestClicksThatRetentionGaveUp(t *testing.T) {
	is := is.New(t)
	m := newMarket(t, inMemory(t))
	m.now = m.now.AddDate(0, 6, 0)
	report, err := m.Retention.Retain(t.Context(), retention.Policy{Clicks: 24 * time.Hour, Visitors: 48 * time.Hour, Unarchived: true})
	is.NoErr(err)
	is.True(report.Clicks > 0)
	verified(t, "there", m.place)
	file, exported := m.export(t, move.ExportOptions{People: true})
	is.True(slices.ContainsFunc(exported.Counts, func(c move.Count) bool { return c.Kind == move.GoneUsage }))
	there := inMemory(t)
	there.now = m.now
	o := move.ImportOptions{AddMissing: true, Clock: there.clock, Batch: 11}
	got, err := move.Import(t.Context(), there.db.Moves(), bytes.NewReader(file), o)
	is.NoErr(err)
	is.Equal(got, exported)
	verified(t, "here", there)

	busy := inMemory(t) // another shop has clicks there
	busy.now = m.now
	shop, err := busy.Links.RegisterAdvertiser(t.Context(), links.Registration{Advertiser: affiliate.Advertiser{Name: "First", Country: "SE", Currency: "SEK"}, Domains: []string{"first.example"}})
	is.NoErr(err)
	u, err := busy.Core.CreateUser(t.Context(), affiliate.User{Username: "anna", VerifiedAt: busy.now})
	is.NoErr(err)
	l, _, err := busy.Links.Convert(t.Context(), links.Conversion{UserID: u.ID, URL: "https://first.example/"})
	is.NoErr(err)
	_, err = busy.Links.Follow(t.Context(), links.Hit{LinkID: l.Link.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
	is.NoErr(err)
	is.True(shop.ID != m.shop.ID)
	o.Clock = busy.clock
	_, err = move.Import(t.Context(), busy.db.Moves(), bytes.NewReader(file), o)
	var e *affiliate.Error
	is.True(errors.As(err, &e))
	is.Equal(e.Code, "retention_differs")
}
