package storagetest

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

func syncAccountTable() table[syncTx, adsync.Account] {
	type V = adsync.Account
	return table[syncTx, V]{
		name:   "sync accounts",
		world:  syncWorld,
		sample: func(_ world, n int) V { return sampleSyncAccount(n) },
		full: func(world) V {
			return V{ID: "full", Name: "Full", Test: true, FingerprintKey: hash(7), CreatedAt: at(1)}
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.SyncAccounts().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.SyncAccounts().Get(ctx, v.ID)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) {
			return tx.SyncAccounts().Get(ctx, v.ID)
		},
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		texts: []text[V]{
			{"id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.ID }, true},
			{"name", 0, adsync.MaxAccountName, func(v *V) *string { return &v.Name }, false},
		},
		broken: []broken[V]{{"fingerprint_key", "required", func(v *V) { v.FingerprintKey = [32]byte{} }}},
	}
}

func adAccountTable() table[syncTx, adsync.AdAccount] {
	type V = adsync.AdAccount
	return table[syncTx, V]{
		name:   "ad accounts",
		world:  syncWorld,
		sample: func(_ world, n int) V { v := sampleAdAccount(n); v.RecordID = syncID(100 + n); return v },
		full: func(world) V {
			return V{
				RecordID: syncID(77), ID: "0123456789", AccountID: "other", Name: "Summer", CatalogID: "accounts/1/dataSources/2",
				CreatedAt: at(1), DisconnectedAt: at(2),
			}
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.AdAccounts().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.AdAccounts().Get(ctx, v.AccountID, v.ID)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) {
			return tx.AdAccounts().Get(ctx, v.AccountID, v.ID)
		},
		adopt: func(v *V, kept V) { v.ID, v.AccountID = kept.ID, kept.AccountID },
		timed: true,
		texts: []text[V]{
			{"account_id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.AccountID }, true},
			{"name", 0, adsync.MaxAccountName, func(v *V) *string { return &v.Name }, false},
			{"catalog_id", 0, adsync.MaxCatalogID, func(v *V) *string { return &v.CatalogID }, false},
		},
		broken: []broken[V]{
			{"record_id", "required", func(v *V) { v.RecordID = uuid.Nil }},
			{"created_at", "required", func(v *V) { setTimes(v, time.Time{}) }},
			{"id", "required", func(v *V) { v.ID = "" }},
			{"id", "invalid", func(v *V) { v.ID = "act_" }},
			{"id", "invalid", func(v *V) { v.ID = "act_12x" }},
			{"id", "invalid", func(v *V) { v.ID = "123456789" }},
			{"id", "invalid", func(v *V) { v.ID = "12345678901" }},
			{"id", "invalid", func(v *V) { v.ID = "abcdefghij" }},
		},
		references: []reference[V]{{"account_id", func(v *V, id int64) { v.AccountID = strconv.FormatInt(id, 10) }}},
	}
}

func itemTable() table[syncTx, adsync.Item] {
	type V = adsync.Item
	return table[syncTx, V]{
		name:   "items",
		world:  syncWorld,
		sample: func(_ world, n int) V { return sampleItem(n) },
		full: func(world) V {
			return V{
				ID: syncID(5000), AccountID: "other", ReferenceID: "mine", AdTemplateType: "A-z_9", Available: true, ContentLanguage: "pt-br",
				Brand: "Volkswagen", Model: "Jetta", Year: 2018, Condition: adsync.New, Title: "T", Description: "D", Link: "https://shop.example/",
				Images:           []adsync.Image{{URL: "https://shop.example/1.jpg", Order: 2}, {URL: "http://shop.example/2.jpg", Order: 1}},
				CustomAttributes: []adsync.CustomAttribute{{Identifier: "make", Label: "Make", Value: "VW \" <b>&\u2028"}, {Identifier: "b"}},
				Price:            affiliate.NewMoney(2117990, "BRL"), Fingerprint: "00ff", SoldOutAt: at(3), CreatedAt: at(1), UpdatedAt: at(2),
			}
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.InventoryItems().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.InventoryItems().Get(ctx, v.ID)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) { return tx.InventoryItems().Get(ctx, v.ID) },
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		timed: true,
		texts: []text[V]{
			{"account_id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.AccountID }, true},
			{"reference_id", 0, adsync.MaxReferenceID, func(v *V) *string { return &v.ReferenceID }, false},
			{"ad_template_type", 1, adsync.MaxAdTemplateType, func(v *V) *string { return &v.AdTemplateType }, true},
			{"content_language", 1, adsync.MaxLanguage, func(v *V) *string { return &v.ContentLanguage }, true},
			{"brand", 0, adsync.MaxText, func(v *V) *string { return &v.Brand }, false},
			{"model", 0, adsync.MaxText, func(v *V) *string { return &v.Model }, false},
			{"title", 0, adsync.MaxText, func(v *V) *string { return &v.Title }, false},
			{"description", 0, adsync.MaxDescription, func(v *V) *string { return &v.Description }, false},
			{"link", 0, adsync.MaxURL, func(v *V) *string { return &v.Link }, true},
			{"fingerprint", 0, 64, func(v *V) *string { return &v.Fingerprint }, false},
		},
		broken: []broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"created_at", "required", func(v *V) { setTimes(v, time.Time{}) }},
			{"ad_template_type", "invalid", func(v *V) { v.AdTemplateType = "veículo" }},
			{"year", "out_of_range", func(v *V) { v.Year = 999 }},
			{"year", "out_of_range", func(v *V) { v.Year = -2018 }},
			{"condition", "invalid", func(v *V) { v.Condition = "old" }},
			{"link", "invalid_url", func(v *V) { v.Link = "ftp://shop.example/" }},
			{"link", "invalid_url", func(v *V) { v.Link = "shop.example" }},
			{"images", "too_many", func(v *V) { v.Images = make([]adsync.Image, adsync.MaxImages+1) }},
			{"images.0.url", "required", func(v *V) { v.Images = []adsync.Image{{Order: 1}} }},
			{"images.0.order", "out_of_range", func(v *V) { v.Images = []adsync.Image{{URL: "http://a.example/"}} }},
			{"custom_attributes", "too_many", func(v *V) { v.CustomAttributes = make([]adsync.CustomAttribute, adsync.MaxCustomAttributes+1) }},
			{"custom_attributes.0.identifier", "required", func(v *V) { v.CustomAttributes = []adsync.CustomAttribute{{Label: "x"}} }},
			{"custom_attributes.1.identifier", "duplicate", func(v *V) { v.CustomAttributes = []adsync.CustomAttribute{{Identifier: "x"}, {Identifier: "x"}} }},
			{"custom_attributes.0.value", "nul", func(v *V) { v.CustomAttributes = []adsync.CustomAttribute{{Identifier: "x", Value: "\x00"}} }},
			{"price.amount", "out_of_range", func(v *V) { v.Price = affiliate.NewMoney(0, "BRL") }},
			{"price.amount", "out_of_range", func(v *V) { v.Price = affiliate.NewMoney(-1, "BRL") }},
			{"price.currency", "unknown_currency", func(v *V) { v.Price = affiliate.NewMoney(1, "XXY") }},
		},
		references: []reference[V]{{"account_id", func(v *V, id int64) { v.AccountID = strconv.FormatInt(id, 10) }}},
		unique:     []uniqueText[V]{{"reference_id", func(v *V) *string { return &v.ReferenceID }, func(v *V, _ world) { v.AccountID = "other" }, false, false, "", false}},
	}
}

func fullConfiguration() adsync.Configuration {
	d := func(s string) decimal.Decimal { v, _ := decimal.NewFromString(s); return v }
	return adsync.Configuration{
		DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299, BillingEvent: "CLICKS"}),
		Geo: affiliate.Some(adsync.Targeting{
			Places: adsync.Places{
				Countries: []string{"US", "BR"}, Regions: []string{"3847"}, Cities: []string{"2418956"}, Zips: []string{"US:90028", "\" ☃"}, CriteriaIDs: []string{"21137"},
				CustomLocations: []adsync.CustomLocation{
					{Latitude: affiliate.Some(d("36")), Longitude: affiliate.Some(d("-121.5")), Radius: d("5"), Unit: adsync.Kilometers},
					{Address: "1601 Willow Road", Radius: d("0.25")},
				},
			},
			Excluded: adsync.Places{Regions: []string{"3847"}},
		}),
	}
}

// recordTexts are the texts and brokenConfigurations the spoiled forms that
// campaigns and ad sets have in common.
func brokenConfigurations[V any](at func(*V) *adsync.Configuration) []broken[V] {
	const geo = "service_configurations.geo_locations"
	places := func(p adsync.Places) func(*V) {
		return func(v *V) { at(v).Geo = affiliate.Some(adsync.Targeting{Places: p}) }
	}
	location := func(change func(l *adsync.CustomLocation)) func(*V) {
		l := adsync.CustomLocation{Address: "x", Radius: decimal.NewFromInt(1)}
		change(&l)
		return places(adsync.Places{CustomLocations: []adsync.CustomLocation{l}})
	}
	some := func(n int64) affiliate.Optional[decimal.Decimal] { return affiliate.Some(decimal.NewFromInt(n)) }
	return []broken[V]{
		{"service_configurations.daily_budget.amount", "out_of_range", func(v *V) { at(v).DailyBudget = affiliate.Some(adsync.Budget{}) }},
		{"service_configurations.daily_budget.amount", "out_of_range", func(v *V) { at(v).DailyBudget = affiliate.Some(adsync.Budget{Amount: 1 << 60}) }},
		{"service_configurations.daily_budget.billing_event", "invalid", func(v *V) {
			at(v).DailyBudget = affiliate.Some(adsync.Budget{Amount: 1, BillingEvent: "clicks"})
		}},
		{geo + ".countries.0", "invalid", places(adsync.Places{Countries: []string{"USA"}})},
		{geo + ".regions.0", "invalid", places(adsync.Places{Regions: []string{""}})},
		{geo + ".cities.0", "invalid", places(adsync.Places{Cities: []string{"\x00"}})},
		{geo + ".zips.1", "invalid", places(adsync.Places{Zips: []string{"a", "\xff"}})},
		{geo + ".zips", "too_many", places(adsync.Places{Zips: make([]string, adsync.MaxLocations+1)})},
		{geo + ".criteria_ids.0", "invalid", places(adsync.Places{CriteriaIDs: []string{"-1"}})},
		{geo + ".custom_locations.0.radius", "out_of_range", location(func(l *adsync.CustomLocation) { l.Radius = decimal.Zero })},
		{geo + ".custom_locations.0.radius", "out_of_range", location(func(l *adsync.CustomLocation) { l.Radius = decimal.New(1, 400_000_000) })},
		{geo + ".custom_locations.0.distance_unit", "invalid", location(func(l *adsync.CustomLocation) { l.Unit = "mile" })},
		{geo + ".custom_locations.0", "invalid", location(func(l *adsync.CustomLocation) { l.Address = "" })},
		{geo + ".custom_locations.0", "incomplete", location(func(l *adsync.CustomLocation) { l.Latitude = some(1) })},
		{geo + ".custom_locations.0.latitude", "out_of_range", location(func(l *adsync.CustomLocation) {
			l.Address, l.Latitude, l.Longitude = "", some(91), some(0)
		})},
		{geo + ".excluded_geo_locations.regions.0", "invalid", func(v *V) {
			at(v).Geo = affiliate.Some(adsync.Targeting{Excluded: adsync.Places{Regions: []string{""}}})
		}},
	}
}

func campaignTable() table[syncTx, adsync.Campaign] {
	type V = adsync.Campaign
	return table[syncTx, V]{
		name:   "campaigns",
		world:  syncWorld,
		sample: func(_ world, n int) V { return sampleCampaign(n) },
		full: func(world) V {
			return V{
				ID: syncID(5000), AccountID: "other", AdAccountID: "1234567890", Service: adsync.GoogleAds, State: adsync.Removed, ReferenceID: "mine",
				Title: "T", Description: "D", Configuration: fullConfiguration(), CreatedVia: adsync.ViaAdmin, CreatedAt: at(1), UpdatedAt: at(2), RemovedAt: at(3),
			}
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.SyncCampaigns().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.SyncCampaigns().Get(ctx, v.ID)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) { return tx.SyncCampaigns().Get(ctx, v.ID) },
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		timed: true,
		texts: []text[V]{
			{"account_id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.AccountID }, true},
			{"ad_account", 1, adsync.MaxAdAccountID, func(v *V) *string { return &v.AdAccountID }, true},
			{"reference_id", 0, adsync.MaxReferenceID, func(v *V) *string { return &v.ReferenceID }, false},
			{"title", 0, adsync.MaxText, func(v *V) *string { return &v.Title }, false},
			{"description", 0, adsync.MaxDescription, func(v *V) *string { return &v.Description }, false},
		},
		broken: slices.Concat([]broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"service", "invalid", func(v *V) { v.Service = "adwords" }},
			{"state", "invalid", func(v *V) { v.State = "" }},
			{"created_via", "invalid", func(v *V) { v.CreatedVia = "" }},
			{"created_at", "required", func(v *V) { setTimes(v, time.Time{}) }},
		}, brokenConfigurations(func(v *V) *adsync.Configuration { return &v.Configuration })),
		references: []reference[V]{
			{"ad_account", func(v *V, id int64) { v.AdAccountID = "act_" + strconv.FormatInt(id, 10) }},
			{"ad_account", func(v *V, id int64) { v.AccountID = strconv.FormatInt(id, 10) }},
		},
		unique: []uniqueText[V]{{"reference_id", func(v *V) *string { return &v.ReferenceID }, func(v *V, _ world) { v.AccountID = "other" }, false, false, "", false}},
	}
}

func adSetTable() table[syncTx, adsync.AdSet] {
	type V = adsync.AdSet
	return table[syncTx, V]{
		name:   "ad sets",
		world:  syncWorld,
		sample: func(_ world, n int) V { return sampleAdSet(n) },
		full: func(world) V {
			return V{
				ID: syncID(5000), AccountID: "other", CampaignID: syncID(902), AdAccountID: "1234567890", Service: adsync.GoogleAds, State: adsync.Removed, ReferenceID: "mine",
				Title: "T", Bids: adsync.Bids{CPC: affiliate.Some(int64(123)), Impressions: affiliate.Some(int64(5))}, Configuration: fullConfiguration(),
				CreatedVia: adsync.ViaAutogenerated, CreatedAt: at(1), UpdatedAt: at(2), RemovedAt: at(3),
			}
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.AdSets().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.AdSets().Get(ctx, v.ID)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) { return tx.AdSets().Get(ctx, v.ID) },
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		timed: true,
		texts: []text[V]{
			{"account_id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.AccountID }, true},
			{"ad_account", 1, adsync.MaxAdAccountID, func(v *V) *string { return &v.AdAccountID }, true},
			{"reference_id", 0, adsync.MaxReferenceID, func(v *V) *string { return &v.ReferenceID }, false},
			{"title", 0, adsync.MaxText, func(v *V) *string { return &v.Title }, false},
		},
		broken: slices.Concat([]broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"campaign", "required", func(v *V) { v.CampaignID = uuid.Nil }},
			{"service", "invalid", func(v *V) { v.Service = "" }},
			{"state", "invalid", func(v *V) { v.State = "on" }},
			{"created_via", "invalid", func(v *V) { v.CreatedVia = "x" }},
			{"created_at", "required", func(v *V) { setTimes(v, time.Time{}) }},
			{"bids.cpc.amount", "out_of_range", func(v *V) { v.Bids.CPC = affiliate.Some(int64(0)) }},
			{"bids.impressions.amount", "out_of_range", func(v *V) { v.Bids.Impressions = affiliate.Some(int64(-1)) }},
		}, brokenConfigurations(func(v *V) *adsync.Configuration { return &v.Configuration })),
		references: []reference[V]{{"campaign", func(v *V, id int64) { v.CampaignID = syncID(int(id >> 16)) }}},
		unique:     []uniqueText[V]{{"reference_id", func(v *V) *string { return &v.ReferenceID }, func(v *V, _ world) { v.AccountID = "other" }, false, false, "", false}},
	}
}

func syncAdTable() table[syncTx, adsync.Ad] {
	type V = adsync.Ad
	return table[syncTx, V]{
		name:   "ads",
		world:  syncWorld,
		sample: func(_ world, n int) V { return sampleSyncAd(n) },
		full: func(world) V {
			return V{
				ID: syncID(5000), AccountID: "other", AdSetID: syncID(902), AdAccountID: "act_1", Service: adsync.FacebookAds, State: adsync.Paused, ReferenceID: "mine",
				Type: adsync.Video, Creative: adsync.Creative{
					Link: "https://a.example/", Message: "m", Picture: "https://a.example/p.png", VideoURL: "http://a.example/v.avi", LinkDescription: "l", CallToAction: "OPEN_LINK", LinkCaption: "c",
				}, DestinationURL: "https://a.example/", ItemID: syncID(1), TemplateID: syncID(2), Held: true,
				CreatedVia: adsync.ViaAutogenerated, CreatedAt: at(1), UpdatedAt: at(2), RemovedAt: at(3),
			}
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.Ads().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.Ads().Get(ctx, v.ID)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) { return tx.Ads().Get(ctx, v.ID) },
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		timed: true,
		texts: []text[V]{
			{"account_id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.AccountID }, true},
			{"reference_id", 0, adsync.MaxReferenceID, func(v *V) *string { return &v.ReferenceID }, false},
			{"destination_url", 1, adsync.MaxURL, func(v *V) *string { return &v.DestinationURL }, true},
			{"creative.headline_part1", 1, adsync.MaxCreativeText, func(v *V) *string { return &v.Creative.HeadlinePart1 }, false},
			{"creative.description", 1, adsync.MaxCreativeText, func(v *V) *string { return &v.Creative.Description }, false},
		},
		broken: []broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"ad_set", "required", func(v *V) { v.AdSetID = uuid.Nil }},
			{"ad_type", "invalid", func(v *V) { v.Type = "image" }},
			{"state", "invalid", func(v *V) { v.State = "Active" }},
			{"created_at", "required", func(v *V) { setTimes(v, time.Time{}) }},
			{"creative.headline_part2", "required", func(v *V) { v.Creative.HeadlinePart2 = "" }},
			{"creative.story.link_data.picture", "required", func(v *V) { v.Type = adsync.ImageWithLink }},
			{"creative.story.video_data.video_url", "required", func(v *V) { v.Type = adsync.Video }},
			{"creative.story.link_data.link", "invalid_url", func(v *V) { v.Type, v.Creative.Link = adsync.ImageWithLink, "javascript:alert(1)" }},
			{"destination_url", "invalid_url", func(v *V) { v.DestinationURL = "//a.example/" }},
			{"item_id", "invalid", func(v *V) { v.ItemID = syncID(1) }},
			{"held", "invalid", func(v *V) { v.Held = true }},
		},
		references: []reference[V]{{"ad_set", func(v *V, id int64) { v.AdSetID = syncID(int(id >> 16)) }}},
		unique:     []uniqueText[V]{{"reference_id", func(v *V) *string { return &v.ReferenceID }, func(v *V, _ world) { v.AccountID = "other" }, false, false, "", false}},
	}
}

func templateTable() table[syncTx, adsync.Template] {
	type V = adsync.Template
	return table[syncTx, V]{
		name:   "templates",
		world:  syncWorld,
		sample: func(_ world, n int) V { return sampleTemplate(n) },
		full: func(world) V {
			v := sampleTemplate(5000)
			v.CreatedAt, v.UpdatedAt = at(1), at(2)
			return v
		},
		add: func(ctx context.Context, tx syncTx, v V) (V, error) {
			if err := tx.AdTemplates().Put(ctx, v); err != nil {
				return v, err
			}
			return tx.AdTemplates().Find(ctx, v.AdSetID, v.AdTemplateType)
		},
		fetch: func(ctx context.Context, tx syncTx, v V) (V, error) {
			return tx.AdTemplates().Find(ctx, v.AdSetID, v.AdTemplateType)
		},
		adopt: func(v *V, kept V) { v.ID = kept.ID },
		texts: []text[V]{
			{"account_id", 1, adsync.MaxAccountID, func(v *V) *string { return &v.AccountID }, true},
			{"ad_template_type", 1, adsync.MaxAdTemplateType, func(v *V) *string { return &v.AdTemplateType }, true},
			{"destination_url", 1, adsync.MaxURL, func(v *V) *string { return &v.DestinationURL }, false},
			{"creative.headline_part1", 1, adsync.MaxCreativeText, func(v *V) *string { return &v.Creative.HeadlinePart1 }, false},
		},
		broken: []broken[V]{
			{"id", "required", func(v *V) { v.ID = uuid.Nil }},
			{"ad_set", "required", func(v *V) { v.AdSetID = uuid.Nil }},
			{"ad_type", "invalid", func(v *V) { v.Type = "" }},
			{"ad_template_type", "invalid", func(v *V) { v.AdTemplateType = "a b" }},
		},
		references: []reference[V]{{"ad_set", func(v *V, id int64) { v.AdSetID = syncID(int(id >> 16)) }}},
	}
}
