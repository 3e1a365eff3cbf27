package offers

import (
	"encoding/json"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func drawTerms(t *rapid.T) ClickTerms {
	rate := func(name string) affiliate.Rate {
		r, err := affiliate.ParseRate(name, rapid.SampledFrom([]string{"0", "1", "0.125", "0.000000001", "0.999999999"}).Draw(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	terms := ClickTerms{
		Origin:   rapid.SampledFrom([]Origin{OriginParticipant, OriginOffer, OriginAdvertiser, OriginCreatorRate, OriginNone}).Draw(t, "origin"),
		OriginID: rapid.Int64().Draw(t, "origin id"), Source: affiliate.TrafficSource(rapid.IntRange(0, 4).Draw(t, "source")),
		Currency: rapid.SampledFrom([]affiliate.Currency{"SEK", "JPY"}).Draw(t, "currency"),
		CPC:      rapid.Int64().Draw(t, "cpc"), InvoiceCPC: rapid.Int64().Draw(t, "invoice cpc"),
		CPA: rate("cpa"), InvoiceCPA: rate("invoice_cpa"), OwnCPA: rapid.Bool().Draw(t, "own cpa"),
		Drawn: Drawn{rapid.Int64Range(0, 9).Draw(t, "offer"), rapid.Int64Range(0, 9).Draw(t, "budget")},
	}
	if rapid.Bool().Draw(t, "shared") {
		terms.UserRevenue = affiliate.Some(rate("user_revenue"))
	}
	return terms
}

func TestFrozenClickTermsAreTheirJSONAndReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := drawTerms(t)
		if got, want := terms.Freeze(), string(freezeJSON(t, terms)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		back, err := ParseClickTerms(terms.Freeze())
		if err != nil || back != terms {
			t.Fatalf("got %+v, %v, want %+v", back, err, terms)
		}
	})
}

// freezeJSON is Freeze by encoding/json.
func freezeJSON(t interface{ Fatal(...any) }, terms ClickTerms) []byte {
	frozen := clickTerms{
		Origin: terms.Origin, OriginID: terms.OriginID, Source: terms.Source, Currency: terms.Currency, CPC: terms.CPC, InvoiceCPC: terms.InvoiceCPC,
		CPA: json.Number(terms.CPA.String()), InvoiceCPA: json.Number(terms.InvoiceCPA.String()), OwnCPA: terms.OwnCPA, Drawn: terms.Drawn,
	}
	if terms.UserRevenue.Set {
		frozen.UserRevenue = json.Number(terms.UserRevenue.Value.String())
	}
	b, err := json.Marshal(frozen)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheKindOfAnEntryDecidesWhetherItDrewOnAnOffer(t *testing.T) {
	is := is.New(t)
	for kind, want := range map[affiliate.EntryKind]Drawn{
		affiliate.EntryClick: {7, 8}, affiliate.EntryOrder: {7, 8}, affiliate.EntryParticipation: {7, 8}, affiliate.EntryOneTime: {7, 8},
		affiliate.EntryDeal: {}, affiliate.EntryAdjustment: {}, affiliate.EntryPayout: {},
	} {
		got, err := drawnBy(kind, `{"offer_id":7,"shared_budget_id":8,"origin":"offer"}`)
		is.NoErr(err)
		is.Equal(got, want) // deals have an offer_id of their own, which is a UUID
	}
	_, err := drawnBy(affiliate.EntryDeal, `{"offer_id":"0190a7c0-0000-7000-8000-000000000000"}`)
	is.NoErr(err)
	_, err = drawnBy(affiliate.EntryClick, `{"offer_id":"x"}`)
	is.True(err != nil) // never taken for a click that drew on nothing
}

func TestClickTermsRefuseWhatIsNone(t *testing.T) {
	is := is.New(t)
	for _, text := range []string{"{", `{"cpa":"x"}`, `{"cpa":2,"invoice_cpa":0}`, `{"cpa":0,"invoice_cpa":0,"user_revenue":-1}`, "[]"} {
		_, err := ParseClickTerms(text)
		is.True(err != nil) // text
	}
	none, err := ParseClickTerms("")
	is.NoErr(err)
	is.Equal(none, ClickTerms{})
}

func BenchmarkFreeze(b *testing.B) {
	terms := ClickTerms{Origin: OriginOffer, OriginID: 7, Currency: "SEK", CPC: 10, InvoiceCPC: 12, Drawn: Drawn{OfferID: 7}}
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			terms.Freeze()
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			freezeJSON(b, terms)
		}
	})
}
