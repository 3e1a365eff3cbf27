package affiliatekit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/tracing"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/retention"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
)

// The functions and types of this file are the Go code of docs/, block by block;
// TestEveryBlockOfTheGuidesIsCompiled holds the two to each other.

func docsOpen(ctx context.Context, dsn string) (*affiliatekit.Kit, error) {
	handle, err := postgres.Open(dsn)
	if err != nil {
		return nil, err
	}
	options := postgres.Options{Schema: "affiliate"}
	if err := postgres.Migrate(ctx, handle, options); err != nil {
		return nil, err
	}
	db, err := postgres.New(handle, options)
	if err != nil {
		return nil, err
	}
	return affiliatekit.New(db, affiliatekit.Options{
		Links: links.Options{PublicURL: "https://go.example"},
	})
}

func docsFailover() (*bun.DB, error) {
	dsn := "postgres://app@/shop?host=db1,db2&port=5432,5432&target_session_attrs=read-write"
	return postgres.OpenFailover(dsn, postgres.Failover{CommitTimeout: 5 * time.Second, Avoid: 10 * time.Second}) // the defaults, which Open has
}

func docsReader(ctx context.Context, primary, replica *bun.DB) error {
	db, err := postgres.New(primary, postgres.Options{Reader: replica, MaxLag: 2 * time.Second})
	if err != nil {
		return err
	}
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	if err != nil {
		return err
	}
	stale, staleness := affiliate.AllowStale(ctx)
	page, err := kit.Links.Clicks(stale, links.ClickFilter{}, affiliate.PageRequest{})
	if age, fromReplica := staleness.AtMost(); fromReplica {
		log.Print(page.Total, " clicks, without some of the last ", age)
	}
	return err
}

func docsStaleReads(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/stats") {
			ctx, _ := affiliate.AllowStale(r.Context())
			r = r.WithContext(ctx)
		}
		api.ServeHTTP(w, r)
	})
}

func docsRun(ctx context.Context, kit *affiliatekit.Kit, report func(error)) {
	var running sync.WaitGroup
	running.Go(func() { report(kit.Links.Run(ctx)) })                       // clicks in the mode Async
	running.Go(func() { report(kit.Events.Run(ctx)) })                      // subscribers, those of the kit among them
	running.Go(func() { report(kit.Webhooks.Run(ctx)) })                    // endpoints
	running.Go(func() { report(kit.Orders.Run(ctx, time.Minute, report)) }) // tells of orders whose hold is over
	running.Go(func() { report(kit.Deals.Run(ctx, time.Minute, report)) })  // deals that the clock moves on
	running.Wait()
}

func docsFor(ctx context.Context, kit *affiliatekit.Kit, principal affiliate.Principal, id int64) (string, error) {
	campaigns := kit.Offers.For(affiliate.ViewerOf(principal))
	view, err := campaigns.Offer(ctx, id)
	if errors.Is(err, affiliate.ErrNotFound) {
		return "there is no such campaign", nil // or the principal may not see it
	}
	return view.Name, err
}

func docsTraces(backend affiliatekit.Backend, provider trace.TracerProvider) (http.Handler, error) {
	tracer := tracing.New(provider) // a trace.TracerProvider
	kit, err := affiliatekit.New(backend, affiliatekit.Options{Tracer: tracer})
	if err != nil {
		return nil, err
	}
	services := httpadapter.Services{Core: kit.Core, Links: kit.Links, Orders: kit.Orders}
	return httpadapter.New(services, httpadapter.Options{
		Authenticator: httpadapter.TokenAuthenticator(kit.Identity),
		Tracer:        tracer,
	})
}

func docsInTx(ctx context.Context, db *postgres.DB, kit *affiliatekit.Kit, author int64, shopURL string) error {
	return postgres.RunInTx(ctx, db, func(ctx context.Context, tx bun.Tx) error {
		backend, err := db.In(tx)
		if err != nil {
			return err
		}
		inside, err := kit.In(backend)
		if err != nil {
			return err
		}
		link, _, err := inside.Links.Convert(ctx, links.Conversion{UserID: author, URL: shopURL})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO reviews (link_id) VALUES (?)", link.Link.ID)
		return err
	})
}

func docsSubscribe(kit *affiliatekit.Kit, send func(ctx context.Context, orderID, data string) error) error {
	return kit.Events.Subscribe("newsletter", []string{"order.approved"}, func(ctx context.Context, e affiliate.Event) error {
		return send(ctx, e.Object.ID, e.Data) // an error: tried again later
	})
}

type sessions struct {
	userOf func(r *http.Request) (userID int64, ok bool)
}

// Authenticate implements httpadapter.Authenticator.
func (s sessions) Authenticate(r *http.Request) (affiliate.Principal, error) {
	id, ok := s.userOf(r)
	if !ok {
		return affiliate.Principal{}, affiliate.ErrUnauthenticated
	}
	return affiliate.Principal{Role: affiliate.RoleCreator, Subject: strconv.FormatInt(id, 10), UserID: id}, nil
}

func docsMount(kit *affiliatekit.Kit, mux *http.ServeMux, userOf func(r *http.Request) (int64, bool)) error {
	creators, err := metapic.New(metapic.Services{Core: kit.Core, Links: kit.Links, Offers: kit.Offers}, httpadapter.Options{
		Authenticator: sessions{userOf},
	})
	if err != nil {
		return err
	}
	redirect, err := httpadapter.NewRedirect(kit.Links, httpadapter.Options{})
	if err != nil {
		return err
	}
	mux.Handle("/partner-api/", http.StripPrefix("/partner-api", creators))
	mux.Handle("/c/", redirect)
	return nil
}

func docsConformance(t *testing.T, open func(t *testing.T) *memory.DB) {
	storagetest.RunCore(t, func(t *testing.T) storagetest.Backend {
		s := open(t) // fresh and empty: called once for each case, from many goroutines
		return storagetest.Backend{Core: s.Core()}
	})
}

func Example_rounding() {
	rate, err := affiliate.ParseRate("cpa", "0.05")
	fmt.Println(affiliate.NewMoney(50, "EUR").MulRate(rate), err) // 2.5 cents
	fmt.Println(affiliate.NewMoney(70, "EUR").MulRate(rate))      // 3.5 cents
	parts, err := affiliate.NewMoney(100, "EUR").Split([]int64{1, 1, 1})
	fmt.Println(parts, err)
	// Output:
	// 0.02 EUR <nil>
	// 0.04 EUR
	// [0.34 EUR 0.33 EUR 0.33 EUR] <nil>
}

func docsMemory() (*affiliatekit.Kit, error) {
	kit, err := affiliatekit.New(memory.New(), affiliatekit.Options{})
	return kit, err
}

// docsShop is a kit with a shop and a creator.
func docsShop(t *testing.T, kit *affiliatekit.Kit) affiliate.User {
	t.Helper()
	is := is.New(t)
	_, err := kit.Links.RegisterAdvertiser(t.Context(), links.Registration{Domains: []string{"acme.example"}, Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"}})
	is.NoErr(err)
	anna, err := kit.Core.CreateUser(t.Context(), affiliate.User{Username: "anna", VerifiedAt: time.Now()})
	is.NoErr(err)
	return anna
}

func TestTheCodeOfTheGuidesRuns(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		is := is.New(t)
		kit, err := docsMemory()
		is.NoErr(err)
		anna := docsShop(t, kit)
		is.NoErr(docsSubscribe(kit, func(context.Context, string, string) error { return nil }))
		_, err = docsTraces(memory.New(), noop.NewTracerProvider())
		is.NoErr(err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var ended []error
		var mu sync.Mutex
		docsRun(ctx, kit, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, err)
		})
		is.True(len(ended) >= 5) // each has ended
		name, err := docsFor(t.Context(), kit, affiliate.Principal{Role: affiliate.RoleCreator, Subject: "1", UserID: anna.ID}, 77)
		is.NoErr(err)
		is.Equal(name, "there is no such campaign")
		mux := http.NewServeMux()
		is.NoErr(docsMount(kit, mux, func(r *http.Request) (int64, bool) { return anna.ID, r.Header.Get("Cookie") == "anna" }))
		for cookie, status := range map[string]int{"": http.StatusUnauthorized, "anna": http.StatusOK} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("/partner-api/v2/users/%d", anna.ID), nil)
			r.Header.Set("Cookie", cookie)
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, r)
			is.Equal(answer.Code, status)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		is := is.New(t)
		dsn := pgtest.DSN(t)
		kit, err := docsOpen(t.Context(), dsn)
		is.NoErr(err)
		anna := docsShop(t, kit)
		handle, err := postgres.Open(dsn)
		is.NoErr(err)
		defer func() { is.NoErr(handle.Close()) }()
		_, err = handle.ExecContext(t.Context(), "CREATE TABLE reviews (link_id bigint)")
		is.NoErr(err)
		db, err := postgres.New(handle, postgres.Options{Schema: "affiliate"})
		is.NoErr(err)
		kit, err = affiliatekit.New(db, affiliatekit.Options{})
		is.NoErr(err)
		is.NoErr(docsInTx(t.Context(), db, kit, anna.ID, "https://acme.example/shoes"))
		reviews, err := handle.NewSelect().Table("reviews").Count(t.Context())
		is.NoErr(err)
		is.Equal(reviews, int64(1))
	})
	t.Run("conformance", func(t *testing.T) {
		docsConformance(t, func(*testing.T) *memory.DB { return memory.New() })
	})
}

func docsRetain(ctx context.Context, db affiliatekit.Backend) error {
	archive, err := affiliate.NewDirBlobs("/var/lib/shop/archive")
	if err != nil {
		return err
	}
	kit, err := affiliatekit.New(db, affiliatekit.Options{Retention: retention.Options{Blobs: archive}})
	if err != nil {
		return err
	}
	const day = 24 * time.Hour
	report, err := kit.Retention.Retain(ctx, retention.Policy{Visitors: 30 * day, Clicks: 400 * day, Events: 90 * day, Attempts: 30 * day})
	log.Print(report.Clicks, " clicks went")
	return err
}

func docsPartition(ctx context.Context, handle *bun.DB, options postgres.Options) error {
	if err := postgres.Migrate(ctx, handle, options); err != nil {
		return err
	}
	err := postgres.PartitionClicks(ctx, handle, options, func(step postgres.PartitionProgress) { log.Print("clicks by month: ", step) })
	return err
}

func docsWithout(ctx context.Context, handle *bun.DB) (*affiliatekit.Kit, error) {
	options := postgres.Options{Schema: "shop", Without: []postgres.Domain{postgres.AdSync, postgres.Deals, postgres.ProductLists}}
	if err := postgres.Migrate(ctx, handle, options); err != nil {
		return nil, err
	}
	db, err := postgres.New(handle, options)
	if err != nil {
		return nil, err
	}
	kit, err := affiliatekit.New(db, affiliatekit.Options{}) // kit.Deals is nil
	return kit, err
}

// These are compiled and not run: the one writes to a folder of a server, and
// package storage/postgres tests what the other calls.
var _ = []any{docsRetain, docsPartition, docsWithout, docsFailover, docsReader, docsStaleReads}

func docsShops(ctx context.Context, handle *bun.DB, shops ...string) (map[string]*affiliatekit.Kit, error) {
	kits := map[string]*affiliatekit.Kit{}
	for _, shop := range shops {
		options := postgres.Options{Schema: shop}
		if err := postgres.Migrate(ctx, handle, options); err != nil {
			return nil, err
		}
		db, err := postgres.New(handle, options)
		if err != nil {
			return nil, err
		}
		public := links.Options{PublicURL: "https://" + shop + ".go.example"}
		if kits[shop], err = affiliatekit.New(db, affiliatekit.Options{Links: public}); err != nil {
			return nil, err
		}
	}
	return kits, nil
}

func docsSpread(ctx context.Context, handle *bun.DB, schema string, part, of int) error {
	var sequences []struct {
		Name string
		Last int64
	}
	err := handle.NewRaw(`SELECT format('%I.%I', schemaname, sequencename) AS name, coalesce(last_value, 0) AS last
		FROM pg_sequences WHERE schemaname = ? AND increment_by <> ?`, schema, of).Scan(ctx, &sequences)
	for _, s := range sequences {
		next := (s.Last/int64(of)+1)*int64(of) + int64(part)
		_, failed := handle.ExecContext(ctx, "ALTER SEQUENCE ? INCREMENT BY ? RESTART WITH ?", bun.Safe(s.Name), of, next)
		err = errors.Join(err, failed)
	}
	return err
}

func docsMove(ctx context.Context, from, to *affiliatekit.Kit, source, target move.Store, shopID int64, file *os.File) error {
	if _, err := from.Core.DeactivateAdvertiser(ctx, shopID); err != nil {
		return err
	}
	exported, err := move.Export(ctx, source, file, shopID, move.ExportOptions{People: true})
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	imported, err := move.Import(ctx, target, file, move.ImportOptions{AddMissing: true})
	if err != nil {
		return err
	}
	log.Print(imported.Counts, imported.Sums, imported.Differences(exported)) // no differences
	// Now send the redirects and reports of the shop to the other database. Then:
	_, err = to.Core.UpdateAdvertiser(ctx, shopID, func(a *affiliate.Advertiser) { a.Status = affiliate.AdvertiserActive })
	return err
}

// A shop of one country moves to the other, and one of a schema to another schema.
func TestShopsMoveAsTheGuideShows(t *testing.T) {
	is := is.New(t)
	ctx := t.Context()
	handle, err := postgres.Open(pgtest.DSN(t))
	is.NoErr(err)
	defer func() { is.NoErr(handle.Close()) }()
	kits, err := docsShops(ctx, handle, "se", "de", "acme", "nordic") // two countries, which are schemas here, and two shops
	is.NoErr(err)
	store := func(schema string) move.Store {
		db, err := postgres.New(handle, postgres.Options{Schema: schema})
		is.NoErr(err)
		return db.Moves()
	}
	for n, country := range []string{"se", "de"} {
		for range 2 { // the second time changes nothing
			is.NoErr(docsSpread(ctx, handle, country, n, 2))
		}
	}
	ids := map[int64]bool{}
	for _, schema := range []string{"de", "se", "acme"} {
		kit := kits[schema]
		shop, err := kit.Links.RegisterAdvertiser(ctx, links.Registration{
			Advertiser: affiliate.Advertiser{Name: schema, Country: "SE", Currency: "SEK", DefaultCosts: []affiliate.Costs{{CPC: affiliate.Some[int64](10)}}},
			Domains:    []string{schema + ".example"},
		})
		is.NoErr(err)
		anna, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna of " + schema, VerifiedAt: time.Now()})
		is.NoErr(err)
		link, _, err := kit.Links.Convert(ctx, links.Conversion{UserID: anna.ID, URL: "https://" + schema + ".example/shoes"})
		is.NoErr(err)
		_, err = kit.Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
		is.NoErr(err)
		to := map[string]string{"se": "de", "acme": "nordic"}[schema]
		if schema != "acme" {
			is.True(!ids[shop.ID]) // the countries give different ids
			ids[shop.ID] = true
		}
		if to == "" {
			continue
		}
		file, err := os.Create(filepath.Join(t.TempDir(), "shop.jsonl.gz"))
		is.NoErr(err)
		is.NoErr(docsMove(ctx, kit, kits[to], store(schema), store(to), shop.ID, file))
		is.NoErr(file.Close())
		got, err := kits[to].Links.Follow(ctx, links.Hit{LinkID: link.Link.ID, IP: "192.0.2.2", UserAgent: "Firefox"})
		is.NoErr(err)
		is.Equal(got.Click.Value.Verdict, links.VerdictValid)
		is.True(strings.HasPrefix(got.URL, "https://"+schema+".example/shoes?"))
		diffs, err := kits[to].Links.Verify(ctx)
		is.NoErr(err)
		is.Equal(len(diffs), 0)
	}
}
