package main

import (
	"context"
	"database/sql"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func TestDemoNamesEveryTokenAndID(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, append(flags, "-demo")...)
		is.Equal(sortedKeys(s.Tokens), strings.Fields("admin advertiser advertiser_2 agency client creator creator_2 lists lists_2 partner partner_2 service sync sync_2 sync_test"))
		is.Equal(s.Tokens["admin"], "demo-admin-token-0001")
		is.Equal(sortedKeys(s.IDs), strings.Fields("advertisers clients groups offers payments tags users"))
		is.Equal(sortedKeys(s.IDs["advertisers"]), strings.Fields("acme hidden mall_one mall_two nordic"))
		is.Equal(sortedKeys(s.IDs["offers"]), strings.Fields("friends summer tasting winter"))
		is.Equal(sortedKeys(s.IDs["users"]), strings.Fields("anna bo carl"))
		for name := range s.Tokens {
			s.as(name).call(t, http.MethodGet, "/v2/store-categories", nil, http.StatusOK, nil) // everybody is let in
		}
		s.as("").call(t, http.MethodGet, "/v2/store-categories", nil, http.StatusUnauthorized, nil)
	})
}

func TestDemoAccountsActForTheirOwn(t *testing.T) {
	is := is.New(t)
	db := memory.New()
	ids, err := loadDemo(t.Context(), db.Links())
	is.NoErr(err)
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	people, err := identity.NewService(core, db.Identity(), identity.Options{})
	is.NoErr(err)
	advertisers := ids["advertisers"]
	for account, want := range map[string]affiliate.Principal{
		"admin":        {Role: affiliate.RoleAdmin},
		"advertiser":   {Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{advertisers["acme"]}},
		"advertiser_2": {Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{advertisers["nordic"]}},
		"agency":       {Role: affiliate.RoleAgency, AdvertiserIDs: []int64{advertisers["nordic"], advertisers["mall_one"]}},
		"creator":      {Role: affiliate.RoleCreator, UserID: ids["users"]["anna"]},
		"creator_2":    {Role: affiliate.RoleCreator, UserID: ids["users"]["bo"]},
		"client":       {Role: affiliate.RoleClient, ClientID: ids["clients"]["magazine"]},
		"partner":      {Role: affiliate.RolePartner},
		"lists":        {Role: affiliate.RoleLists},
		"sync":         {Role: affiliate.RoleSync},
		"sync_test":    {Role: affiliate.RoleSync, Test: true},
		"service":      {Role: affiliate.RoleService},
	} {
		p, err := people.Authenticate(t.Context(), demoTokens()[account])
		is.NoErr(err)
		want.Subject, want.Name = p.Subject, p.Name
		is.Equal(p, want)
	}
	for name, want := range map[string]affiliate.UserStatus{"anna": affiliate.UserAccepted, "bo": affiliate.UserAccepted, "carl": affiliate.UserUndecided} {
		u, err := core.User(t.Context(), ids["users"][name])
		is.NoErr(err)
		is.Equal(u.Status(), want)
	}
}

func TestSecondStartChangesNothing(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.DSN(t)
	first := start(t, "-demo", "-dsn", dsn)
	is.NoErr(first.stop())
	before := dump(t, dsn)
	is.True(len(before) > 10 && strings.Contains(before["affiliate_users"], "anna")) // there is something to compare
	second := start(t, "-demo", "-dsn", dsn)
	is.NoErr(second.stop())
	is.Equal(second.IDs, first.IDs)
	is.Equal(second.Tokens, first.Tokens)
	for table, rows := range dump(t, dsn) {
		if table == "affiliate_event_sequence" {
			continue
		}
		if got, want := numberless(rows), numberless(before[table]); got != want {
			t.Errorf("%s: got %s, want %s", table, got, want)
		}
	}
}

// numberless is a dump without the numbers of events, which a process gives them
// some time after their commit: maybe the first one, maybe the second.
func numberless(rows string) string {
	return regexp.MustCompile(`"sequence":(null|\d+)`).ReplaceAllString(rows, "")
}

func TestDemoLeavesWhatWasChangedSince(t *testing.T) {
	is := is.New(t)
	db := memory.New()
	ids, err := loadDemo(t.Context(), db.Links())
	is.NoErr(err)
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	is.NoErr(err)
	people, err := identity.NewService(core, db.Identity(), identity.Options{})
	is.NoErr(err)
	shop, err := links.NewService(db.Links(), links.Options{})
	is.NoErr(err)
	acme, bo := ids["advertisers"]["acme"], ids["users"]["bo"]
	_, err = core.BanUsers(t.Context(), []int64{bo}, 0)
	is.NoErr(err)
	rules, err := shop.Rules(t.Context(), acme)
	is.NoErr(err)
	is.NoErr(shop.DeleteRule(t.Context(), acme, rules[0].ID))
	is.NoErr(people.RemoveMember(t.Context(), identity.Membership{Role: affiliate.RoleRepresentative, Subject: "acme", AdvertiserID: acme}))

	again, err := loadDemo(t.Context(), db.Links())
	is.NoErr(err)
	is.Equal(again, ids)
	u, err := core.User(t.Context(), bo)
	is.NoErr(err)
	is.Equal(u.Status(), affiliate.UserSuspended)
	rules, err = shop.Rules(t.Context(), acme)
	is.NoErr(err)
	is.Equal(len(rules), 0)
	p, err := people.Authenticate(t.Context(), demoTokens()["advertiser"])
	is.NoErr(err)
	is.Equal(len(p.AdvertiserIDs), 0)
}

func TestSimultaneousFirstStartsAgree(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.DSN(t)
	var backends [4]backend
	var all sync.WaitGroup
	loaded, failures := make([]demoIDs, len(backends)), make([]error, len(backends))
	for i := range backends {
		all.Go(func() {
			if backends[i], failures[i] = openBackend(t.Context(), dsn); failures[i] == nil {
				loaded[i], failures[i] = loadDemo(t.Context(), backends[i].Links())
			}
		})
	}
	all.Wait()
	for i, b := range backends {
		is.NoErr(failures[i])
		is.Equal(loaded[i], loaded[0])
		is.NoErr(b.close())
	}
}

// dump is every table of ours as JSON.
func dump(t *testing.T, dsn string) map[string]string {
	t.Helper()
	is := is.New(t)
	db, err := sql.Open("pgx", dsn)
	is.NoErr(err)
	defer func() { is.NoErr(db.Close()) }()
	tables, err := db.QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'affiliate\_%'`)
	is.NoErr(err)
	rows := make(map[string]string)
	for tables.Next() {
		var name string
		is.NoErr(tables.Scan(&name))
		rows[name] = ""
	}
	is.NoErr(tables.Err())
	for name := range rows {
		rows[name] = dumpTable(t.Context(), is, db, name)
	}
	return rows
}

func dumpTable(ctx context.Context, is *is.I, db *sql.DB, name string) (rows string) {
	is.NoErr(db.QueryRowContext(ctx, `SELECT coalesce(json_agg(t ORDER BY t::text)::text, '') FROM `+name+` t`).Scan(&rows))
	return rows
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
