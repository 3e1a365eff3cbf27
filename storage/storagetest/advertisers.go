package storagetest

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type coreTx = affiliate.Tx
type coreStore = affiliate.Store[affiliate.Tx]

func advertiserScenarios() []scenario[coreStore] {
	return append(advertisers().scenarios(),
		scenario[coreStore]{"advertisers/get", testAdvertiserGet},
		scenario[coreStore]{"advertisers/each has its own categories", testAdvertiserCategories},
		scenario[coreStore]{"advertisers/list", testAdvertiserList},
	)
}

func advertisers() table[coreTx, affiliate.Advertiser] {
	type V = affiliate.Advertiser
	return table[coreTx, V]{
		name:   "advertisers",
		sample: func(w world, n int) V { return sampleAdvertiser(n) },
		full:   fullAdvertiser,
		add:    addAdvertiser,
		fetch:  func(ctx context.Context, tx coreTx, v V) (V, error) { return tx.Advertisers().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx coreTx, v V) error { return tx.Advertisers().Update(ctx, v) },
		getMany: func(ctx context.Context, tx coreTx, ids []int64) ([]V, error) {
			return tx.Advertisers().GetMany(ctx, ids)
		},
		id: func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"name", 1, 255, func(v *V) *string { return &v.Name }, false},
			{"logo_url", 0, 2048, func(v *V) *string { return &v.LogoURL }, false},
			{"language", 0, 35, func(v *V) *string { return &v.Language }, false},
			{"provider", 1, 64, func(v *V) *string { return &v.Provider }, false},
			{"tracking_template", 1, 2048, func(v *V) *string { return &v.TrackingTemplate }, true},
			{"billing.company_name", 0, 255, func(v *V) *string { return &v.Billing.CompanyName }, false},
			{"billing.street", 0, 255, func(v *V) *string { return &v.Billing.Street }, false},
			{"billing.postal_code", 0, 255, func(v *V) *string { return &v.Billing.PostalCode }, false},
			{"billing.city", 0, 255, func(v *V) *string { return &v.Billing.City }, false},
			{"billing.vat_number", 0, 255, func(v *V) *string { return &v.Billing.VATNumber }, false},
		},
		broken: []broken[V]{
			{"country", "invalid_country", func(v *V) { v.Country = "se" }},
			{"currency", "unknown_currency", func(v *V) { v.Currency = "XXX" }},
			{"currency", "unknown_currency", func(v *V) { v.Currency = "" }},
			{"time_zone", "unknown_time_zone", func(v *V) { v.TimeZone = "Nowhere/Else" }},
			{"time_zone", "unknown_time_zone", func(v *V) { v.TimeZone = "UTC\x00" }},
			{"status", "unknown_status", func(v *V) { v.Status = "asleep" }},
			{"categories", "not_ascending", func(v *V) { v.CategoryIDs = []int64{2, 1} }},
			{"categories", "not_ascending", func(v *V) { v.CategoryIDs = []int64{0} }},
			{"default_costs.0.cpc", "out_of_range", func(v *V) { v.DefaultCosts = []affiliate.Costs{{CPC: affiliate.Some[int64](-1)}} }},
		},
		references: []reference[V]{
			{"group_id", func(v *V, id int64) { v.GroupID = id }},
			{"group_id", func(v *V, id int64) { v.GroupID = -1 }},
			{"categories", func(v *V, id int64) { v.CategoryIDs = []int64{id} }},
		},
	}
}

func addAdvertiser(ctx context.Context, tx coreTx, v affiliate.Advertiser) (affiliate.Advertiser, error) {
	return tx.Advertisers().Add(ctx, v)
}

func fullAdvertiser(w world) affiliate.Advertiser {
	return affiliate.Advertiser{
		GroupID: w.groups[1].ID, CategoryIDs: []int64{w.categories[0].ID, w.categories[2].ID},
		Name: "Acme", LogoURL: "https://acme.example/logo.png", Country: "JP", Currency: "JPY", Language: "ja-JP", TimeZone: "Asia/Tokyo",
		Status: affiliate.AdvertiserDeactivated, Hidden: true, Provider: "network", TrackingTemplate: "https://t.example/?u=:TARGET_URL",
		DefaultCosts: []affiliate.Costs{
			{Source: affiliate.SourceTikTok, CPC: affiliate.Some[int64](affiliate.MaxCPC), CPA: affiliate.Some(rate("0.123456789"))},
			{Source: affiliate.SourceGeneral, InvoiceCPC: affiliate.Some[int64](0), InvoiceCPA: affiliate.Some(rate("1")), CPA: affiliate.Some(rate("0"))},
			{Source: affiliate.SourceFacebook},
		},
		Billing:   affiliate.Billing{CompanyName: "Acme AB", Street: "Gatan 1", PostalCode: "123 45", City: "Malmö", VATNumber: "SE1"},
		CreatedAt: at(1), UpdatedAt: at(2),
	}
}

func testAdvertiserGet(t *testing.T, s coreStore) {
	for _, id := range []int64{nowhere, 0, -1} {
		unreadable(t, s, missing, func(ctx context.Context, tx coreTx) error { return second(tx.Advertisers().Get(ctx, id)) })
	}
}

func testAdvertiserCategories(t *testing.T, s coreStore) {
	c := newWorld(t, s).categories
	one, other := sampleAdvertiser(1), sampleAdvertiser(2)
	one.CategoryIDs, other.CategoryIDs = []int64{c[0].ID, c[1].ID}, []int64{c[0].ID, c[2].ID}
	kept := addAll(t, s, addAdvertiser, one, other)
	kept[0].CategoryIDs = []int64{c[1].ID, c[2].ID} // one goes, one stays, one comes
	write(t, s, func(ctx context.Context, tx coreTx) error { return tx.Advertisers().Update(ctx, kept[0]) })
	equal(t, "advertisers", see(t, s, func(ctx context.Context, tx coreTx) ([]affiliate.Advertiser, error) {
		return tx.Advertisers().GetMany(ctx, []int64{kept[0].ID, kept[1].ID})
	}), kept)
}

func testAdvertiserList(t *testing.T, s coreStore) {
	type F = affiliate.AdvertiserFilter
	var groups []affiliate.AdvertiserGroup
	for i := range 2 {
		groups = append(groups, put(t, s, func(ctx context.Context, tx coreTx) (affiliate.AdvertiserGroup, error) {
			return tx.AdvertiserGroups().Add(ctx, sampleGroup(i))
		}))
	}
	row := func(name string, group int, status affiliate.AdvertiserStatus, hidden bool, created int) affiliate.Advertiser {
		a := sampleAdvertiser(0)
		a.Name, a.Status, a.Hidden, a.CreatedAt = name, status, hidden, at(created)
		if group >= 0 {
			a.GroupID = groups[group].ID
		}
		return a
	}
	const active, off = affiliate.AdvertiserActive, affiliate.AdvertiserDeactivated
	items := addAll(t, s, addAdvertiser,
		row("zebra", 0, active, false, 3),
		row("Zebra_%", 0, off, true, 1),
		row("\U0001f600smile", 1, active, true, 2),
		row(`back\slash`, -1, off, false, 3),
		row("İKEA-ß", 1, active, false, 1),
		row("ångström\ufffd", -1, active, false, 2),
		row("zebra", 1, off, true, 0),
	)
	ids := func(which ...int) []int64 {
		out := []int64{nowhere}
		for _, i := range which {
			out = append(out, items[i].ID)
		}
		return out
	}
	label := map[int64]string{}
	for i, a := range items {
		label[a.ID] = string(rune('a' + i))
	}
	id := func(i int) string { return strconv.FormatInt(items[i].ID, 10) }
	filters := []filterRow[F]{
		{F{GroupID: groups[0].ID}, "a b"},
		{F{GroupID: groups[1].ID}, "c e g"},
		{F{GroupID: nowhere}, ""},
		{F{Status: active}, "a c e f"},
		{F{Status: off}, "b d g"},
		{F{Status: "asleep"}, ""},
		{F{Hidden: affiliate.Some(true)}, "b c g"},
		{F{Hidden: affiliate.Some(false)}, "a d e f"},
		{F{IDs: ids(1, 0, 1)}, "a b"},
		{F{IDs: []int64{}}, ""},
		{F{Excluded: ids(0, 3)}, "b c e f g"},
		{F{Excluded: []int64{}}, "a b c d e f g"},
		{F{IDs: ids(0, 1), Excluded: ids(1)}, "a"},
		{F{Query: "zebra"}, "a b g"},
		{F{Query: "ZEBRA"}, "a b g"},
		{F{Query: "ebr"}, "a b g"},
		{F{Query: "%"}, "b"},
		{F{Query: "_"}, "b"},
		{F{Query: "_%"}, "b"},
		{F{Query: `\`}, "d"},
		{F{Query: `k\s`}, "d"},
		{F{Query: `%zebra%`}, ""},
		{F{Query: "z_bra"}, ""},
		{F{Query: "'"}, ""},
		{F{Query: "İkea"}, "e"},
		{F{Query: "ikea"}, "e"},
		{F{Query: "KEA-ß"}, "e"},
		{F{Query: "ẞ"}, "e"},
		{F{Query: "ss"}, ""},
		{F{Query: "ÅNGSTRÖM"}, "f"},
		{F{Query: "a\u030angstro\u0308m"}, "f"}, // spelled with combining marks
		{F{Query: "åNGSTRöM"}, "f"},
		{F{Query: "\U0001f600"}, "c"},
		{F{Query: strings.Repeat("z", 100_000)}, ""},
		{F{Query: id(2)}, "c"},
		{F{Query: "0" + id(2)}, ""},
		{F{Query: "+" + id(2)}, ""},
		{F{Query: " " + id(2)}, ""},
		{F{Query: "99999999999999999999999999"}, ""},
	}
	for _, q := range unkeepable() {
		filters = append(filters, filterRow[F]{F{Query: q}, ""})
	}
	listing[coreTx, affiliate.Advertiser, F]{
		items: items,
		label: func(a affiliate.Advertiser) string { return label[a.ID] },
		list: func(ctx context.Context, tx coreTx, f F, p affiliate.PageRequest) (affiliate.Page[affiliate.Advertiser], error) {
			return tx.Advertisers().List(ctx, f, p)
		},
		filters: filters,
		columns: map[string]func(a, b affiliate.Advertiser) int{
			"name":       func(a, b affiliate.Advertiser) int { return cmp.Compare(a.Name, b.Name) },
			"created_at": byTime(func(a affiliate.Advertiser) time.Time { return a.CreatedAt }),
		},
	}.check(t, s)
}

// byTime compares by a time.
func byTime[V any](at func(V) time.Time) func(a, b V) int {
	return func(a, b V) int { return at(a).Compare(at(b)) }
}

// byText compares by a text, by code point.
func byText[V any](text func(V) string) func(a, b V) int {
	return func(a, b V) int { return cmp.Compare(text(a), text(b)) }
}

// byNumber compares by a number.
func byNumber[V any](number func(V) int64) func(a, b V) int {
	return func(a, b V) int { return cmp.Compare(number(a), number(b)) }
}
