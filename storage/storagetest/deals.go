package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
)

type (
	dealsTx    = deals.Tx
	dealsStore = affiliate.Store[deals.Tx]
)

// RunDeals runs the cases of package deals on Backend.Deals.
func RunDeals(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) dealsStore { return open(t).Deals }, dealsScenarios())
}

func dealsScenarios() []scenario[dealsStore] {
	return slices.Concat(
		writeScenarios[dealsTx](),
		sellerTable().scenarios(),
		catalogTable().scenarios(),
		catalogOfferTable().scenarios(),
		landingTable().scenarios(),
		uidTable().scenarios(),
		promoCodeTable().scenarios(),
		accessTable().scenarios(),
		dealTable().scenarios(),
		[]scenario[dealsStore]{
			{"business partners/the last one put stays", testSellerAgain},
			{"catalogs/found by their codes", testCatalogCodes},
			{"catalogs/list", testCatalogList},
			{"offers and landings/by their catalogs", testByCatalogs},
			{"landings/delete", testLandingDelete},
			{"uids/one owner, found together", testUIDs},
			{"promo codes/whatever the case", testPromoCodes},
			{"access/list", testAccessList},
			{"deals/one per business partner and id", testDealKey},
			{"deals/many are updated at once", testDealUpdates},
			{"deals/list", testDealList},
			{"deals/those that are due", testLockDue},
			{"deals/of writers at once one adds", testDealRace},
			{"deals/of sweepers at once one has each", testLockDueRace},
		},
	)
}

// keyOf is an id from outside that n alone has.
func keyOf(n int64) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(strconv.FormatInt(n, 10)))
}

// Who sells and who promotes in the cases.
func seller(n int64) uuid.UUID  { return keyOf(10_000 + n) }
func partner(n int64) uuid.UUID { return keyOf(20_000 + n) }

// fixed are terms of a sum with at most 4 digits after the point.
func fixed(sum string) deals.Terms {
	m, err := affiliate.ParseMoney(sum, "CLF") // a currency of 4 digits
	if err != nil {
		return deals.Terms{}
	}
	return deals.Terms{Fixed: deals.Exact(m.Decimal())}
}

// dealsWorld has three catalogs, 901 to 903, of the sellers 1, 1 and 2, with an
// offer each; and an entry in the ledger.
func dealsWorld(t *testing.T, s dealsStore) world {
	t.Helper()
	w := newWorld(t, s)
	write(t, s, func(ctx context.Context, tx dealsTx) error {
		for n := range int64(3) {
			c := sampleCatalog(901 + int(n))
			c.BusinessPartnerID = seller(1 + n/2)
			o := sampleCatalogOffer(901 + int(n))
			o.CatalogID = c.ID
			if err := all(
				func() error { return second(tx.Catalogs().Add(ctx, c)) },
				func() error { return second(tx.CatalogOffers().Add(ctx, o)) },
			); err != nil {
				return err
			}
		}
		return second(tx.Ledger().Append(ctx, sampleEntry(901)))
	})
	return w
}

func sampleSeller(n int) deals.BusinessPartner { return deals.BusinessPartner{ID: seller(int64(n))} }

func sampleUID(n int) deals.UID {
	return deals.UID{UID: "uid" + strconv.Itoa(n), PartnerID: partner(1)}
}

func sampleCatalog(n int) deals.Catalog {
	c := deals.NewCatalog()
	c.ID, c.BusinessPartnerID = keyOf(int64(n)), seller(1)
	c.Code, c.ShortCode, c.Title = "code "+strconv.Itoa(n), fmt.Sprintf("C%04d", n), "title"
	return c
}

func sampleCatalogOffer(n int) deals.Offer {
	return deals.Offer{
		ID: keyOf(30_000 + int64(n)), CatalogID: keyOf(901), Name: "offer " + strconv.Itoa(n),
		Prices: []affiliate.Money{eur(1)}, Terms: deals.Terms{Share: rate("0.05")},
	}
}

func sampleLanding(n int) deals.Landing {
	return deals.Landing{ID: fmt.Sprintf("L%05d", n), CatalogID: keyOf(901), URL: "https://shop.example/", Adaptability: "All"}
}

func samplePromoCode(n int) deals.PromoCode {
	return deals.PromoCode{CatalogID: keyOf(901), BusinessPartnerID: seller(1), PartnerID: partner(1), Code: "code" + strconv.Itoa(n)}
}

func sampleAccess(n int) deals.Access {
	return deals.Access{CatalogID: keyOf(901), PartnerID: partner(int64(n)), Status: deals.AccessRequested}
}

func sampleDeal(n int) deals.Deal {
	return deals.Deal{
		ID: keyOf(40_000 + int64(n)), BusinessPartnerID: seller(1), ExternalID: "deal " + strconv.Itoa(n),
		CatalogID: keyOf(901), OfferID: keyOf(30_901), CatalogCode: "code", OfferName: "offer", Status: deals.Created,
		Cost: eur(100), Reward: eur(0), Hold: 0, Cancel: time.Minute, CreatedAt: at(0),
	}
}

func sellerTable() table[dealsTx, deals.BusinessPartner] {
	type V = deals.BusinessPartner
	return table[dealsTx, V]{
		name:   "business partners",
		sample: func(_ world, n int) V { return sampleSeller(n) },
		full:   func(world) V { return V{ID: seller(5000), Name: "Ågren", LogoURL: "https://cdn.example/å.png"} },
		add: func(ctx context.Context, tx dealsTx, v V) (V, error) {
			return v, tx.BusinessPartners().Put(ctx, v)
		},
		fetch:  func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.BusinessPartners().Get(ctx, v.ID) },
		texts:  []text[V]{{"name", 0, deals.MaxName, func(v *V) *string { return &v.Name }, false}},
		broken: []broken[V]{{"id", "required", func(v *V) { v.ID = uuid.Nil }}, {"logo_url", "invalid_url", func(v *V) { v.LogoURL = "ftp://x/" }}},
	}
}

func testSellerAgain(t *testing.T, s dealsStore) {
	for _, name := range []string{"first", "second"} {
		v := deals.BusinessPartner{ID: seller(1), Name: name, LogoURL: "https://cdn.example/" + name + ".png"}
		write(t, s, func(ctx context.Context, tx dealsTx) error { return tx.BusinessPartners().Put(ctx, v) })
		equal(t, name, see(t, s, func(ctx context.Context, tx dealsTx) (deals.BusinessPartner, error) {
			return tx.BusinessPartners().Get(ctx, v.ID)
		}), v)
	}
}

func catalogTable() table[dealsTx, deals.Catalog] {
	type V = deals.Catalog
	return table[dealsTx, V]{
		name:   "catalogs",
		sample: func(_ world, n int) V { return sampleCatalog(n) },
		full: func(world) V {
			return V{
				ID: keyOf(5000), BusinessPartnerID: seller(9), Code: "räksmörgås", ShortCode: "A1B2C", Title: "Kurs", Description: "En kurs",
				Icon: "https://cdn.example/i.png", PreviewImage: "http://cdn.example/p.png", Category: "Education", Reward: rate("0.0005"),
				RewardType: "CPA", Hold: time.Hour, Cancel: time.Second, PromoCodesAllowed: true, Published: true, Moderation: deals.ManualModeration,
				MinDiscount: rate("0.01"), MaxDiscount: rate("0.123456789"), Countries: []string{"AX", "SE"}, Languages: []string{"EN", "SV"},
				Devices: "Mobile", CookieDays: 7, CreatedAt: at(1), ModifiedAt: at(2),
			}
		},
		add:    func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.Catalogs().Add(ctx, v) },
		fetch:  func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.Catalogs().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx dealsTx, v V) error { return tx.Catalogs().Update(ctx, v) },
		adopt:  func(v *V, kept V) { v.ID = kept.ID },
		texts: []text[V]{
			{"catalog_code", 1, deals.MaxCode, func(v *V) *string { return &v.Code }, false},
			{"title", 1, deals.MaxTitle, func(v *V) *string { return &v.Title }, false},
			{"category", 1, deals.MaxName, func(v *V) *string { return &v.Category }, false},
			{"description", 0, deals.MaxDescription, func(v *V) *string { return &v.Description }, false},
		},
		broken: []broken[V]{
			{"business_partner_id", "required", func(v *V) { v.BusinessPartnerID = uuid.Nil }},
			{"catalog_id", "invalid", func(v *V) { v.ShortCode = "abcde" }},
			{"catalog_id", "invalid", func(v *V) { v.ShortCode = "ABCDEF" }},
			{"icon", "invalid_url", func(v *V) { v.Icon = "nothing" }},
			{"icon", "too_long", func(v *V) { v.Icon = "https://x/" + strings.Repeat("a", deals.MaxURL) }},
			{"preview_image", "invalid_url", func(v *V) { v.PreviewImage = "javascript:alert(1)" }},
			{"reward_percent", "out_of_range", func(v *V) { v.Reward = rate("0.00049") }},
			{"reward_percent", "out_of_range", func(v *V) { v.Reward = rate("0.951") }},
			{"reward_type", "not_in_list", func(v *V) { v.RewardType = "CPX" }},
			{"hold_duration", "out_of_range", func(v *V) { v.Hold = -time.Second }},
			{"hold_duration", "too_precise", func(v *V) { v.Hold = time.Millisecond }},
			{"canceled_duration", "out_of_range", func(v *V) { v.Cancel = 0 }},
			{"canceled_duration", "out_of_range", func(v *V) { v.Cancel = deals.MaxDuration + time.Second }},
			{"moderation_type", "not_in_list", func(v *V) { v.Moderation = "" }},
			{"max_promo_code_percent", "out_of_range", func(v *V) { v.MinDiscount, v.MaxDiscount = rate("0.2"), rate("0.1") }},
			{"offer_geo", "not_in_list", func(v *V) { v.Countries = []string{"XX"} }},
			{"offer_geo", "not_sorted", func(v *V) { v.Countries = []string{"SE", "AX"} }},
			{"localizations", "not_in_list", func(v *V) { v.Languages = []string{"sv"} }},
			{"devices", "not_in_list", func(v *V) { v.Devices = "Fridge" }},
			{"cookies_storage_days", "out_of_range", func(v *V) { v.CookieDays = -1 }},
		},
		unique: []uniqueText[V]{{field: "catalog_code", at: func(v *V) *string { return &v.Code }, elsewhere: func(v *V, _ world) { v.BusinessPartnerID = seller(8) }}},
	}
}

func catalogOfferTable() table[dealsTx, deals.Offer] {
	type V = deals.Offer
	return table[dealsTx, V]{
		name:   "offers",
		world:  dealsWorld,
		sample: func(_ world, n int) V { return sampleCatalogOffer(n) },
		full: func(world) V {
			return V{
				ID: keyOf(5000), CatalogID: keyOf(902), Name: "Nybörjare", Description: "Åtta timmar", PromoCodesAllowed: true, Active: true,
				Prices: []affiliate.Money{affiliate.NewMoney(1<<62, "JPY"), eur(0)}, Terms: fixed("123456789.0625"),
				CreatedAt: at(1), ModifiedAt: at(2),
			}
		},
		add:    func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.CatalogOffers().Add(ctx, v) },
		fetch:  func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.CatalogOffers().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx dealsTx, v V) error { return tx.CatalogOffers().Update(ctx, v) },
		adopt:  func(v *V, kept V) { v.ID = kept.ID },
		texts: []text[V]{
			{"name", 1, deals.MaxName, func(v *V) *string { return &v.Name }, false},
			{"description", 0, deals.MaxDescription, func(v *V) *string { return &v.Description }, false},
		},
		broken: []broken[V]{
			{"catalog_id", "required", func(v *V) { v.CatalogID = uuid.Nil }},
			{"prices", "required", func(v *V) { v.Prices = nil }},
			{"prices", "too_many", func(v *V) { v.Prices = make([]affiliate.Money, deals.MaxPrices+1) }},
			{"prices.0.currency", "unknown_currency", func(v *V) { v.Prices = []affiliate.Money{affiliate.NewMoney(1, "XXX")} }},
			{"prices.0.cost", "out_of_range", func(v *V) { v.Prices = []affiliate.Money{eur(-1)} }},
			{"prices.1.currency", "repeated", func(v *V) { v.Prices = []affiliate.Money{eur(1), eur(2)} }},
			{"reward_percent", "required", func(v *V) { v.Terms = deals.Terms{} }},
			{"reward_percent", "out_of_range", func(v *V) { v.Terms.Share = rate("0.96") }},
			{"fix_remuneration", "ambiguous", func(v *V) { v.Terms.Fixed = fixed("1").Fixed }},
			{"fix_remuneration", "out_of_range", func(v *V) { v.Terms = deals.Terms{Fixed: deals.Percent(rate("0.0000001"))} }},
			{"fix_remuneration", "out_of_range", func(v *V) { v.Terms = fixed("1000000000.1") }},
			{"fix_remuneration", "out_of_range", func(v *V) { v.Terms = fixed("-1") }},
		},
		references: []reference[V]{{"catalog_id", func(v *V, id int64) { v.CatalogID = keyOf(id) }}},
		unique:     []uniqueText[V]{{field: "name", at: func(v *V) *string { return &v.Name }, elsewhere: func(v *V, _ world) { v.CatalogID = keyOf(903) }}},
	}
}

func landingTable() table[dealsTx, deals.Landing] {
	type V = deals.Landing
	return table[dealsTx, V]{
		name:   "landings",
		world:  dealsWorld,
		sample: func(_ world, n int) V { return sampleLanding(n) },
		full: func(world) V {
			return V{
				ID: "7ZTOYA", CatalogID: keyOf(902), URL: "http://shop.example/?å", Title: "Välkommen", Adaptability: "Desktop",
				ImageURL: "https://cdn.example/x.png", CreatedAt: at(1), ModifiedAt: at(2),
			}
		},
		add:    func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.Landings().Add(ctx, v) },
		fetch:  func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.Landings().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx dealsTx, v V) error { return tx.Landings().Update(ctx, v) },
		adopt:  func(v *V, kept V) { v.ID = kept.ID },
		texts:  []text[V]{{"title", 0, deals.MaxTitle, func(v *V) *string { return &v.Title }, false}},
		broken: []broken[V]{
			{"catalog_id", "required", func(v *V) { v.CatalogID = uuid.Nil }},
			{"url", "required", func(v *V) { v.URL = "" }},
			{"url", "invalid_url", func(v *V) { v.URL = "shop.example" }},
			{"adaptability", "not_in_list", func(v *V) { v.Adaptability = "" }},
			{"image_url", "invalid_url", func(v *V) { v.ImageURL = "data:,x" }},
		},
		references: []reference[V]{{"catalog_id", func(v *V, id int64) { v.CatalogID = keyOf(id) }}},
	}
}

func uidTable() table[dealsTx, deals.UID] {
	type V = deals.UID
	return table[dealsTx, V]{
		name:   "uids",
		sample: func(_ world, n int) V { return sampleUID(n) },
		full:   func(world) V { return V{UID: "Ñandú'\\%_", PartnerID: partner(5), CreatedAt: at(1)} },
		add: func(ctx context.Context, tx dealsTx, v V) (V, error) {
			v, _, err := tx.UIDs().AddOrGet(ctx, v)
			return v, err
		},
		fetch: func(ctx context.Context, tx dealsTx, v V) (V, error) {
			return oneOf(tx.UIDs().GetMany(ctx, []string{v.UID}))
		},
		texts: []text[V]{{"uid", 1, deals.MaxUID, func(v *V) *string { return &v.UID }, true}},
		broken: []broken[V]{
			{"uid", "invalid", func(v *V) { v.UID = "a b" }},
			{"partner_id", "required", func(v *V) { v.PartnerID = uuid.Nil }},
		},
	}
}

func promoCodeTable() table[dealsTx, deals.PromoCode] {
	type V = deals.PromoCode
	return table[dealsTx, V]{
		name:   "promo codes",
		world:  dealsWorld,
		sample: func(_ world, n int) V { return samplePromoCode(n) },
		full: func(world) V {
			return V{CatalogID: keyOf(902), BusinessPartnerID: seller(1), PartnerID: partner(5), Code: "Ñandú'\\%_", Discount: rate("0.05"), CreatedAt: at(1)}
		},
		add: func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.PromoCodes().Add(ctx, v) },
		fetch: func(ctx context.Context, tx dealsTx, v V) (V, error) {
			return tx.PromoCodes().Get(ctx, v.CatalogID, v.Code)
		},
		texts: []text[V]{{"code", 1, deals.MaxPromoCode, func(v *V) *string { return &v.Code }, true}},
		broken: []broken[V]{
			{"code", "invalid", func(v *V) { v.Code = "a\tb" }},
			{"catalog_id", "required", func(v *V) { v.CatalogID = uuid.Nil }},
			{"partner_id", "required", func(v *V) { v.PartnerID = uuid.Nil }},
			{"business_partner_id", "required", func(v *V) { v.BusinessPartnerID = uuid.Nil }},
		},
		references: []reference[V]{{"catalog_id", func(v *V, id int64) { v.CatalogID = keyOf(id) }}},
	}
}

func accessTable() table[dealsTx, deals.Access] {
	type V = deals.Access
	return table[dealsTx, V]{
		name:   "access",
		world:  dealsWorld,
		sample: func(_ world, n int) V { return sampleAccess(n) },
		full: func(world) V {
			return V{CatalogID: keyOf(902), PartnerID: partner(5), Status: deals.AccessDenied, RequestedAt: at(1), DecidedAt: at(2)}
		},
		add: func(ctx context.Context, tx dealsTx, v V) (V, error) {
			if err := tx.CatalogAccess().Put(ctx, v); err != nil {
				return V{}, err
			}
			return tx.CatalogAccess().Get(ctx, v.CatalogID, v.PartnerID)
		},
		fetch: func(ctx context.Context, tx dealsTx, v V) (V, error) {
			return tx.CatalogAccess().Get(ctx, v.CatalogID, v.PartnerID)
		},
		broken: []broken[V]{{"partner_id", "required", func(v *V) { v.PartnerID = uuid.Nil }}, {"status", "not_in_list", func(v *V) { v.Status = "maybe" }}},
		references: []reference[V]{
			{"catalog_id", func(v *V, id int64) { v.CatalogID = keyOf(id) }},
		},
	}
}

func dealTable() table[dealsTx, deals.Deal] {
	type V = deals.Deal
	attributed := func(v *V) { v.Source, v.PartnerID, v.Terms = deals.ByUID, partner(1), deals.Terms{Share: rate("0.5")} }
	return table[dealsTx, V]{
		name:   "deals",
		world:  dealsWorld,
		sample: func(_ world, n int) V { return sampleDeal(n) },
		full: func(world) V {
			return V{
				ID: keyOf(5000), BusinessPartnerID: seller(2), ExternalID: "Å/1", CatalogID: keyOf(902), OfferID: keyOf(30_902),
				CatalogCode: "kod", OfferName: "Nybörjare", Status: deals.Canceled, Cost: affiliate.NewMoney(1<<62, "JPY"), PromoCode: "REA",
				AnotherData: "uid=X&sub=ö", Source: deals.ByPromoCode, PartnerID: partner(3), Terms: fixed("20.25"),
				Reward: affiliate.NewMoney(20, "JPY"), EntryID: 1, Hold: time.Hour, Cancel: time.Second, Returned: true, Comment: "Ångrat",
				CreatedAt: at(1), PaidAt: at(2), ApprovedAt: at(3), CanceledAt: at(4), ModifiedAt: at(5),
			}
		},
		add:    addDeal,
		fetch:  func(ctx context.Context, tx dealsTx, v V) (V, error) { return tx.Deals().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx dealsTx, v V) error { return tx.Deals().Update(ctx, v) },
		adopt:  func(v *V, kept V) { v.ID = kept.ID },
		timed:  true,
		texts: []text[V]{
			{"deal_id", 1, deals.MaxExternalID, func(v *V) *string { return &v.ExternalID }, false},
			{"catalog_code", 1, deals.MaxCode, func(v *V) *string { return &v.CatalogCode }, false},
			{"offer", 1, deals.MaxName, func(v *V) *string { return &v.OfferName }, false},
			{"promo_code", 0, deals.MaxPromoCode, func(v *V) *string { return &v.PromoCode }, false},
			{"another_data", 0, deals.MaxAnotherData, func(v *V) *string { return &v.AnotherData }, false},
			{"comment", 0, deals.MaxComment, func(v *V) *string { return &v.Comment }, false},
		},
		broken: []broken[V]{
			{"business_partner_id", "required", func(v *V) { v.BusinessPartnerID = uuid.Nil }},
			{"status", "not_in_list", func(v *V) { v.Status = "paid" }},
			{"currency", "unknown_currency", func(v *V) { v.Cost = affiliate.NewMoney(1, "XXX") }},
			{"cost", "out_of_range", func(v *V) { v.Cost = eur(-1) }},
			{"reward", "currency_mismatch", func(v *V) { v.Reward = affiliate.NewMoney(0, "USD") }},
			{"reward", "out_of_range", func(v *V) { v.Reward = eur(-1) }},
			{"source", "not_in_list", func(v *V) { attributed(v); v.Source = "luck" }},
			{"partner_id", "source_mismatch", func(v *V) { v.PartnerID = partner(1) }},
			{"partner_id", "source_mismatch", func(v *V) { attributed(v); v.PartnerID = uuid.Nil }},
			{"reward_percent", "required", func(v *V) { attributed(v); v.Terms = deals.Terms{} }},
			{"hold_duration", "out_of_range", func(v *V) { v.Hold = -1 }},
			{"canceled_duration", "out_of_range", func(v *V) { v.Cancel = 0 }},
			{"is_returned", "not_canceled", func(v *V) { v.Returned = true }},
			{"created_at", "required", func(v *V) { v.CreatedAt = time.Time{} }},
			{"paid_at", "required", func(v *V) { v.Status = deals.Paid }},
			{"entry_id", "out_of_range", func(v *V) { v.EntryID = -1 }},
		},
		references: []reference[V]{
			{"catalog_id", func(v *V, id int64) { v.CatalogID = keyOf(id) }},
			{"offer_id", func(v *V, id int64) { v.OfferID = keyOf(id) }},
			{"entry_id", func(v *V, id int64) { v.EntryID = id }},
		},
	}
}

// addDeal adds a deal that is not there.
func addDeal(ctx context.Context, tx dealsTx, d deals.Deal) (deals.Deal, error) {
	kept, added, err := tx.Deals().AddOrGet(ctx, d)
	if err == nil && !added {
		err = fmt.Errorf("AddOrGet answers deal %s with false, want it added", kept.ID)
	}
	return kept, err
}
