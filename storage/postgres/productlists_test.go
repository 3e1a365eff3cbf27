package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/matryer/is"
	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/productlists"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

// statements notes what is sent to the database.
type statements struct {
	mu   sync.Mutex
	sent []string
}

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, e.Query)
}

// during are the statements that fn sends.
func (s *statements) during(tb testing.TB, fn func() error) []string {
	tb.Helper()
	s.mu.Lock()
	s.sent = nil
	s.mu.Unlock()
	is.New(tb).NoErr(fn())
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// addLists fills the table with n lists of 100 accounts: half of them are
// "common", and each has a pair that it alone has.
func addLists(tb testing.TB, handle *bun.DB, n int) {
	tb.Helper()
	is := is.New(tb)
	_, err := handle.ExecContext(tb.Context(), `INSERT INTO affiliate_product_lists (public_id, account_id, name, metadata, owner_identifier, size, appended)
		SELECT md5(n::text)::uuid, 'account' || n % 100, 'list', jsonb_build_object('account' || n % 100,
			jsonb_build_object('own', n::text, 'kind', CASE WHEN n % 2 = 0 THEN 'common' ELSE n::text END, 'hundred', (n / 100 % 100)::text)), '', 0, 0
		FROM generate_series(0, ? - 1) AS n`, n)
	is.NoErr(err)
	_, err = handle.ExecContext(tb.Context(), `VACUUM ANALYZE affiliate_product_lists`)
	is.NoErr(err)
}

func TestListsAreFoundByMetadataThroughTheIndex(t *testing.T) {
	is := is.New(t)
	_, handle := openInPath(t)
	addLists(t, handle, 100_000)
	log := &statements{}
	service := serviceOver(t, handle.WithQueryHook(log))
	for _, pairs := range [][]productlists.Pair{
		{{Key: "own", Value: "4207"}},
		{{Key: "kind", Value: "4207"}, {Key: "hundred", Value: "42"}},
	} {
		explained := 0
		for _, statement := range log.during(t, func() error {
			found, err := service.Lists(t.Context(), "account7", pairs, affiliate.PageRequest{Number: 1, Size: 100})
			is.Equal(found.Total, 1)
			return err
		}) {
			if !strings.HasPrefix(statement, "SELECT") {
				continue
			}
			explained++
			if plan := explain(t, handle, statement); !strings.Contains(plan, "affiliate_product_lists_metadata_idx") || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s\n%s", statement, plan)
			}
		}
		is.Equal(explained, 2) // the count and the page
	}
}

func serviceOver(tb testing.TB, handle *bun.DB) *productlists.Service {
	tb.Helper()
	db, err := postgres.New(handle, postgres.Options{})
	is.New(tb).NoErr(err)
	service, err := productlists.NewService(db.ProductLists(), productlists.Options{})
	is.New(tb).NoErr(err)
	return service
}

func explain(tb testing.TB, handle *bun.DB, statement string) string {
	tb.Helper()
	var lines []string
	rows, err := handle.DB.QueryContext(tb.Context(), "EXPLAIN "+statement)
	is.New(tb).NoErr(err)
	defer func() { is.New(tb).NoErr(rows.Close()) }()
	for rows.Next() {
		var line string
		is.New(tb).NoErr(rows.Scan(&line))
		lines = append(lines, line)
	}
	is.New(tb).NoErr(rows.Err())
	return strings.Join(lines, "\n")
}

func TestAListIsReadInTheSameStatementsHoweverLongItIs(t *testing.T) {
	is := is.New(t)
	_, handle := openInPath(t)
	service := serviceOver(t, handle)
	_, err := service.Import(t.Context(), &feed{lines: productlists.MaxProducts}, productlists.ImportOptions{})
	is.NoErr(err)
	log := &statements{}
	watched := serviceOver(t, handle.WithQueryHook(log))
	counts := map[int]int{}
	for _, size := range []int{0, 1, 10, productlists.MaxProducts} {
		l, _, err := service.CreateList(t.Context(), "acme", productlists.ListInput{Name: "x"})
		is.NoErr(err)
		for from := 1; from <= size; from += productlists.MaxBatch {
			var ids []string
			for i := from; i < min(from+productlists.MaxBatch, size+1); i++ {
				ids = append(ids, strconv.Itoa(i))
			}
			_, err := service.AddProducts(t.Context(), "acme", l.ID, ids)
			is.NoErr(err)
		}
		counts[size] = len(log.during(t, func() error {
			c, err := watched.List(t.Context(), "acme", l.ID)
			if err == nil && (len(c.Items) != size || size > 0 && !c.Items[size-1].Product.Set) {
				err = fmt.Errorf("%d items", len(c.Items))
			}
			return err
		}))
	}
	is.Equal(counts[10], counts[1])
	is.Equal(counts[productlists.MaxProducts], counts[1])
	is.True(counts[1] <= 7) // two units: the list and its ids, then the products
}

func TestImportingAgainWritesNothing(t *testing.T) {
	is := is.New(t)
	_, handle := openInPath(t)
	service := serviceOver(t, handle)
	version := func() (sum string) {
		is.NoErr(handle.NewRaw(`SELECT sum(xmin::text::bigint)::text || ' ' || count(*) FROM affiliate_products`).Scan(t.Context(), &sum))
		return sum
	}
	report, err := service.Import(t.Context(), &feed{lines: 5_000}, productlists.ImportOptions{})
	is.NoErr(err)
	is.Equal(report.Imported, 5_000)
	before := version()
	_, err = service.Import(t.Context(), &feed{lines: 5_000}, productlists.ImportOptions{})
	is.NoErr(err)
	is.Equal(version(), before) // not one row has a new version
}

// feed is a CSV feed of products as shops have them, made while it is read.
type feed struct {
	lines, at int
	pending   []byte
}

const feedHeader = "id,barcode,name,description,commission_url,direct_url,image_url,currency,regular_price,final_price,availability,sku,brand,category," +
	"network_id,network_name,network_logo_url,merchant_id,merchant_name,merchant_logo_url\n"

func (f *feed) Read(p []byte) (int, error) {
	for len(f.pending) == 0 {
		if f.at > f.lines {
			return 0, io.EOF
		}
		if f.at == 0 {
			f.pending = []byte(feedHeader)
		} else {
			f.pending = append([]byte(strings.Join(feedRow(f.at), ",")), '\n')
		}
		f.at++
	}
	n := copy(p, f.pending)
	f.pending = f.pending[n:]
	return n, nil
}

// feedRow is the i-th product, field by field.
func feedRow(i int) []string {
	id, price := strconv.Itoa(i), strconv.Itoa(10+i%500)
	return []string{
		id, "4006381" + strconv.Itoa(100000+i%900000), "Smart thermostat with a screen no. " + id,
		"Wi-Fi enabled thermostat with voice control and a warranty of " + strconv.Itoa(i%9) + " years for homes of all sizes",
		"https://www.network.example/click-123-" + id + "?url=:TARGET_URL_ENCODED", "https://www.shop.example/products/smart-thermostat-" + id,
		"https://assets.shop.example/images/products/" + id + ".jpg", "USD", price + ".99", price + ".49", "In Stock", "SKU-" + id,
		"Brand " + strconv.Itoa(i%500), "Home & Garden > Smart Home > Climate Control",
		"5", "Network", "https://img.network.example/5.png", strconv.Itoa(i % 1000), "Merchant " + strconv.Itoa(i%1000), "https://img.network.example/m.png",
	}
}

// BenchmarkImportFeed imports a feed into an empty table; the floor is a bare
// COPY of the same rows, ready in memory, into a table like it. One run is a
// million lines: -benchtime 1x.
func BenchmarkImportFeed(b *testing.B) {
	const lines = 1_000_000
	is := is.New(b)
	_, handle := openInPath(b)
	service := serviceOver(b, handle)
	_, err := handle.ExecContext(b.Context(), `CREATE TABLE bare (LIKE affiliate_products INCLUDING ALL)`)
	is.NoErr(err)
	var ours, again, floor time.Duration
	for b.Loop() {
		_, err := handle.ExecContext(b.Context(), `TRUNCATE affiliate_products, bare`)
		is.NoErr(err)
		start := time.Now()
		report, err := service.Import(b.Context(), &feed{lines: lines}, productlists.ImportOptions{})
		is.NoErr(err)
		is.Equal(report.Imported, lines)
		ours += time.Since(start)
		start = time.Now()
		is.NoErr(copyBare(b.Context(), handle, lines))
		floor += time.Since(start)
		start = time.Now()
		_, err = service.Import(b.Context(), &feed{lines: lines}, productlists.ImportOptions{})
		is.NoErr(err)
		again += time.Since(start)
	}
	total := float64(lines * b.N)
	b.ReportMetric(floor.Seconds()/ours.Seconds(), "floor/ours")
	b.ReportMetric(total/ours.Seconds(), "lines/s")
	b.ReportMetric(total/again.Seconds(), "unchanged-lines/s")
	b.ReportMetric(total/floor.Seconds(), "copied-rows/s")
}

func copyBare(ctx context.Context, handle *bun.DB, lines int) error {
	conn, err := handle.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	columns := strings.Split(strings.TrimSpace(feedHeader), ",")
	return conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"bare"}, columns, pgx.CopyFromSlice(lines, func(i int) ([]any, error) {
			row := feedRow(i + 1)
			out := make([]any, len(row))
			for n, field := range row {
				switch columns[n] {
				case "regular_price", "final_price", "network_id", "merchant_id":
					number, err := strconv.ParseInt(strings.Replace(field, ".", "", 1), 10, 64)
					if err != nil {
						return nil, err
					}
					out[n] = number
				default:
					out[n] = field
				}
			}
			return out, nil
		}))
		return err
	})
}

// BenchmarkListsByMetadata finds one list of a million by a pair of its
// metadata; the floor is the same transaction with one look-up by the id.
func BenchmarkListsByMetadata(b *testing.B) {
	const lists = 1_000_000
	_, handle := openInPath(b)
	addLists(b, handle, lists)
	service := serviceOver(b, handle)
	sideBySide(b, func(i int) error {
		n := i * 7919 % lists
		page, err := service.Lists(b.Context(), fmt.Sprint("account", n%100), []productlists.Pair{{Key: "own", Value: strconv.Itoa(n)}}, affiliate.PageRequest{Number: 1, Size: 100})
		if err == nil && page.Total != 1 {
			err = fmt.Errorf("%d lists", page.Total)
		}
		return err
	}, func(i int) error {
		return handle.RunInTx(b.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(ctx context.Context, tx bun.Tx) error {
			var id uuid.UUID
			return tx.NewRaw(`SELECT public_id FROM affiliate_product_lists WHERE id = ?`, i*7919%lists+1).Scan(ctx, &id)
		})
	})
}

// BenchmarkReadList reads a list of ten thousand products; the floor is one
// statement that joins them, scanned as plain texts and numbers.
func BenchmarkReadList(b *testing.B) {
	is := is.New(b)
	_, handle := openInPath(b)
	service := serviceOver(b, handle)
	_, err := service.Import(b.Context(), &feed{lines: productlists.MaxProducts}, productlists.ImportOptions{})
	is.NoErr(err)
	l, _, err := service.CreateList(b.Context(), "acme", productlists.ListInput{Name: "x"})
	is.NoErr(err)
	for from := 1; from <= productlists.MaxProducts; from += productlists.MaxBatch {
		var ids []string
		for i := from; i < from+productlists.MaxBatch; i++ {
			ids = append(ids, strconv.Itoa(i))
		}
		_, err := service.AddProducts(b.Context(), "acme", l.ID, ids)
		is.NoErr(err)
	}
	sideBySide(b, func(int) error {
		_, err := service.List(b.Context(), "acme", l.ID)
		return err
	}, func(int) error {
		rows, err := handle.DB.QueryContext(b.Context(), `SELECT p.* FROM affiliate_product_list_items i JOIN affiliate_products p ON p.id = i.product_id ORDER BY i.position`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var t [16]string
			var n [4]int64
			if err := rows.Scan(&t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7], &n[0], &n[1],
				&t[8], &t[9], &t[10], &t[11], &n[2], &t[12], &t[13], &n[3], &t[14], &t[15]); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
