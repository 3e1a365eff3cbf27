package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

// The sample data. What refers to something else takes the ids of what came
// before it.

// named is a value under its name in the printed line.
type named[T any] struct {
	name  string
	value T
}

// percent is n hundredths, 0 to 100.
func percent(n int64) affiliate.Rate {
	r, _ := affiliate.RateFromDecimal("percent", decimal.New(n, -2)) // within 0..1, two digits: there is nothing to refuse
	return r
}

func demoGroups() []named[affiliate.AdvertiserGroup] {
	return []named[affiliate.AdvertiserGroup]{
		{"sweden", affiliate.AdvertiserGroup{Name: "Sweden", Key: "sv_SE", Currency: "SEK", PaymentLimit: 50000}},
		{"finland", affiliate.AdvertiserGroup{Name: "Finland", Key: "fi_FI", Currency: "EUR", PaymentLimit: 5000, ReturnAdEnabled: true}},
	}
}

func demoCategories() []named[affiliate.Category] {
	return []named[affiliate.Category]{
		{"food", affiliate.Category{Name: "Food"}},
		{"beauty", affiliate.Category{Name: "Beauty"}},
	}
}

func demoClients(ids demoIDs) []named[affiliate.Client] {
	return []named[affiliate.Client]{
		{"magazine", affiliate.Client{
			Name: "Magazine Network", PublicID: "magazine01", GroupID: ids["groups"]["sweden"],
			SecretHash: affiliate.HashSecret("demo-client-secret-0001"), RevenueShare: percent(80),
		}},
		{"studio", affiliate.Client{
			Name: "Studio Network", PublicID: "studio0001", GroupID: ids["groups"]["finland"],
			SecretHash: affiliate.HashSecret("demo-client-secret-0002"), RevenueShare: percent(70), OwnPaymentSystem: true,
		}},
	}
}

func demoTiers(ids demoIDs) []named[affiliate.RevenueTier] {
	return []named[affiliate.RevenueTier]{
		{"gold", affiliate.RevenueTier{ClientID: ids["clients"]["magazine"], Name: "Gold", Share: percent(50)}},
	}
}

// demoAdvertiser is an advertiser and the host that is its own.
type demoAdvertiser struct {
	affiliate.Advertiser
	host string
}

func demoAdvertisers(ids demoIDs) []named[demoAdvertiser] {
	groups, food, beauty := ids["groups"], ids["categories"]["food"], ids["categories"]["beauty"]
	sweden := func(name string, categories ...int64) affiliate.Advertiser {
		return affiliate.Advertiser{
			Name: name, GroupID: groups["sweden"], CategoryIDs: slices.Sorted(slices.Values(categories)), DefaultCosts: demoCosts(),
			Country: "SE", Currency: "SEK", Language: "sv", LogoURL: "https://cdn.example/" + strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".png",
		}
	}
	finland := func(name string, categories ...int64) affiliate.Advertiser {
		a := sweden(name, categories...)
		a.GroupID, a.Country, a.Currency, a.Language = groups["finland"], "FI", "EUR", "fi"
		return a
	}
	hidden := sweden("Hidden", beauty)
	hidden.Hidden = true
	return []named[demoAdvertiser]{
		{"acme", demoAdvertiser{sweden("Acme", food), "acme.example"}},
		{"nordic", demoAdvertiser{finland("Nordic", beauty), "nordic.example"}},
		{"mall_one", demoAdvertiser{sweden("Mall One", food, beauty), "mall.example"}},
		{"mall_two", demoAdvertiser{finland("Mall Two", food, beauty), "mall.example"}},
		{"hidden", demoAdvertiser{hidden, "hidden.example"}},
	}
}

// demoCosts are the same for every traffic source: a click earns 0.10 and is
// invoiced 0.12, an order earns a tenth of its value and is invoiced 12 %.
func demoCosts() []affiliate.Costs {
	costs := make([]affiliate.Costs, affiliate.TrafficSources)
	for i := range costs {
		costs[i] = affiliate.Costs{
			Source: affiliate.TrafficSource(i),
			CPC:    affiliate.Some[int64](10), InvoiceCPC: affiliate.Some[int64](12),
			CPA: affiliate.Some(percent(10)), InvoiceCPA: affiliate.Some(percent(12)),
		}
	}
	return costs
}

func demoTags(ids demoIDs) []named[affiliate.UserTag] {
	return []named[affiliate.UserTag]{
		{"vetted", affiliate.UserTag{Name: "Vetted", Slug: "vetted", AccessLevel: affiliate.AccessAdmin}},
		{"favourites", affiliate.UserTag{Name: "Favourites", Slug: "favourites", AccessLevel: affiliate.AccessAll}},
		{"acme_friends", affiliate.UserTag{Name: "Friends of Acme", Slug: "acme-friends", AccessLevel: affiliate.AccessStore, AdvertiserID: ids["advertisers"]["acme"]}},
		{"nordic_friends", affiliate.UserTag{Name: "Friends of Nordic", Slug: "nordic-friends", AccessLevel: affiliate.AccessStore, AdvertiserID: ids["advertisers"]["nordic"]}},
	}
}

func demoUsers(ids demoIDs, now time.Time) []named[affiliate.User] {
	magazine, studio := ids["clients"]["magazine"], ids["clients"]["studio"]
	return []named[affiliate.User]{
		{"anna", affiliate.User{
			Username: "anna", DisplayName: "Anna Andersson", Email: "anna@example.com", Locale: "sv", ClientID: magazine, VerifiedAt: now,
			SocialMedia: []affiliate.SocialMedia{{Type: "instagram", Identifier: "anna.andersson"}, {Type: "tiktok", Identifier: "anna"}},
			TagIDs:      []int64{ids["tags"]["favourites"]}, TierID: ids["tiers"]["gold"],
		}},
		{"bo", affiliate.User{
			Username: "bo", DisplayName: "Bo Berg", Email: "bo@example.com", Locale: "sv", ClientID: magazine, VerifiedAt: now,
			SocialMedia: []affiliate.SocialMedia{{Type: "youtube", Identifier: "boberg"}},
		}},
		{"carl", affiliate.User{Username: "carl", DisplayName: "Carl Carlsson", Email: "carl@example.com", Locale: "fi", ClientID: studio}},
	}
}

// demoAccount is a credential and the advertisers that its owner acts for.
type demoAccount struct {
	name    string
	token   identity.AccessToken
	actsFor []int64
}

// secret is the well-known token of a demo account: "demo-advertiser_2-token-0001".
func (a demoAccount) secret() string { return "demo-" + a.name + "-token-0001" }

func demoAccounts(ids demoIDs) []demoAccount {
	advertisers, users, clients := ids["advertisers"], ids["users"], ids["clients"]
	account := func(role affiliate.Role, subject, name string) identity.AccessToken {
		return identity.AccessToken{Role: role, Subject: subject, Name: name}
	}
	creator := func(user, name string) identity.AccessToken {
		t := account(affiliate.RoleCreator, strconv.FormatInt(users[user], 10), name)
		t.UserID = users[user]
		return t
	}
	client := account(affiliate.RoleClient, strconv.FormatInt(clients["magazine"], 10), "Magazine Network")
	client.ClientID = clients["magazine"]
	syncTest := account(affiliate.RoleSync, "01900000-0000-7000-8000-000000000007", "Sync test")
	syncTest.Test = true
	return []demoAccount{
		{"admin", account(affiliate.RoleAdmin, "operator", "Operator"), nil},
		{"advertiser", account(affiliate.RoleRepresentative, "acme", "Acme"), []int64{advertisers["acme"]}},
		{"advertiser_2", account(affiliate.RoleRepresentative, "nordic", "Nordic"), []int64{advertisers["nordic"]}},
		{"agency", account(affiliate.RoleAgency, "agency", "Agency"), []int64{advertisers["nordic"], advertisers["mall_one"]}},
		{"creator", creator("anna", "Anna"), nil},
		{"creator_2", creator("bo", "Bo"), nil},
		{"client", client, nil},
		{"partner", account(affiliate.RolePartner, "01900000-0000-7000-8000-000000000001", "Partner"), nil},
		{"partner_2", account(affiliate.RolePartner, "01900000-0000-7000-8000-000000000002", "Partner 2"), nil},
		{"lists", account(affiliate.RoleLists, "01900000-0000-7000-8000-000000000003", "Lists"), nil},
		{"lists_2", account(affiliate.RoleLists, "01900000-0000-7000-8000-000000000004", "Lists 2"), nil},
		{"sync", account(affiliate.RoleSync, "01900000-0000-7000-8000-000000000005", "Sync"), nil},
		{"sync_2", account(affiliate.RoleSync, "01900000-0000-7000-8000-000000000006", "Sync 2"), nil},
		{"sync_test", syncTest, nil},
		{"service", account(affiliate.RoleService, "webhooks", "Webhooks"), nil},
	}
}

// demoTokens are the secrets of the demo accounts by name.
func demoTokens() map[string]string {
	tokens := make(map[string]string)
	for _, a := range demoAccounts(demoIDs{}) {
		tokens[a.name] = a.secret()
	}
	return tokens
}
