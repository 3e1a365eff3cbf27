package bench_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-memdb"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

const (
	memoryLinks       = 1_000_000
	memoryUsers       = 10_000
	memoryAdvertisers = 100
	memoryPage        = 20
)

var memoryStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// memoryLink is the n-th link; each call makes its own text, as a request does.
func memoryLink(n int) links.Link {
	url := fmt.Sprintf("https://shop%d.example/products/category-%d/item-%d", n%memoryAdvertisers, n%977, n)
	l := links.Link{
		UserID:       int64(n%memoryUsers) + 1,
		AdvertiserID: int64(n/memoryUsers%memoryAdvertisers) + 1,
		OriginalURL:  url,
		TargetURL:    url,
		Template:     affiliate.DefaultTrackingTemplate,
		CreatedAt:    memoryStart.Add(time.Duration(n) * time.Second),
	}
	r := rand.New(rand.NewPCG(uint64(n), 7))
	for i := 0; i < len(l.Key); i += 8 {
		binary.LittleEndian.PutUint64(l.Key[i:], r.Uint64())
	}
	return l
}

// heap is what is in use, after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// openMemory is our store with the users and advertisers that links need.
func openMemory(b *testing.B) links.Store {
	s := memory.New().Links()
	must(b, s.Write(context.Background(), func(ctx context.Context, tx links.Tx) error {
		for n := range memoryUsers {
			if _, err := tx.Users().Add(ctx, affiliate.User{Username: fmt.Sprint("user", n)}); err != nil {
				return err
			}
		}
		for n := range memoryAdvertisers {
			if _, err := tx.Advertisers().Add(ctx, affiliate.Advertiser{
				Name: fmt.Sprint("shop", n), Country: "SE", Currency: "SEK", Status: affiliate.AdvertiserActive,
				Provider: affiliate.ProviderDirect, TrackingTemplate: affiliate.DefaultTrackingTemplate,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return s
}

// openMemDB is go-memdb with the same indexes: by id, by user, advertiser and
// key, by user, and by advertiser.
func openMemDB(b *testing.B) *memdb.MemDB {
	key := &memdb.CompoundIndex{Indexes: []memdb.Indexer{
		&memdb.IntFieldIndex{Field: "UserID"}, &memdb.IntFieldIndex{Field: "AdvertiserID"}, &memdb.StringFieldIndex{Field: "Key"},
	}}
	db, err := memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{"links": {
		Name: "links",
		Indexes: map[string]*memdb.IndexSchema{
			"id":         {Name: "id", Unique: true, Indexer: &memdb.IntFieldIndex{Field: "ID"}},
			"key":        {Name: "key", Unique: true, Indexer: key},
			"user":       {Name: "user", Indexer: &memdb.IntFieldIndex{Field: "UserID"}},
			"advertiser": {Name: "advertiser", Indexer: &memdb.IntFieldIndex{Field: "AdvertiserID"}},
		},
	}}})
	must(b, err)
	return db
}

// memDBLink is a link with its key as text, which go-memdb indexes ready made.
type memDBLink struct {
	ID, UserID, AdvertiserID         int64
	Key                              string
	OriginalURL, TargetURL, Template string
	CreatedAt, DeletedAt             time.Time
}

func toMemDB(id int64, l links.Link) *memDBLink {
	return &memDBLink{id, l.UserID, l.AdvertiserID, string(l.Key[:]), l.OriginalURL, l.TargetURL, l.Template, l.CreatedAt, l.DeletedAt}
}

// addLinks adds the links from..until in units of 1,000, on both sides alike.
func addLinks(b *testing.B, s links.Store, from, until int) {
	for ; from < until; from += 1_000 {
		must(b, s.Write(context.Background(), func(ctx context.Context, tx links.Tx) error {
			for n := from; n < min(from+1_000, until); n++ {
				if _, _, err := tx.Links().AddOrGet(ctx, memoryLink(n)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func addMemDB(b *testing.B, db *memdb.MemDB, from, until int) {
	for ; from < until; from += 1_000 {
		tx := db.Txn(true)
		for n := from; n < min(from+1_000, until); n++ {
			must(b, tx.Insert("links", toMemDB(int64(n)+1, memoryLink(n))))
		}
		tx.Commit()
	}
}

// inTurn runs both sides in turns of so many calls, and reports what one call
// of each takes, and how many times longer theirs does. What prepare does
// before the calls from n on is in neither's time.
func inTurn(b *testing.B, turn int, prepare, ours, theirs func(n int)) {
	b.Helper()
	var us, them time.Duration
	for done := 0; done < b.N; done += turn {
		until := min(done+turn, b.N)
		if prepare != nil {
			prepare(done)
		}
		start := time.Now()
		for n := done; n < until; n++ {
			ours(n)
		}
		middle := time.Now()
		for n := done; n < until; n++ {
			theirs(n)
		}
		us += middle.Sub(start)
		them += time.Since(middle)
	}
	b.ReportMetric(0, "ns/op") // of both together says nothing
	b.ReportMetric(float64(us.Nanoseconds())/float64(b.N), "ours-ns/op")
	b.ReportMetric(float64(them.Nanoseconds())/float64(b.N), "memdb-ns/op")
	b.ReportMetric(float64(them)/float64(us), "x-faster")
}

// BenchmarkMemory holds the memory backend against go-memdb, at a million links
// in the same process: each call in a unit of its own, or all of them in one
// where the name says so.
func BenchmarkMemory(b *testing.B) {
	ctx := context.Background()
	start := heap()
	ours := openMemory(b)
	addLinks(b, ours, 0, memoryLinks)
	middle := heap()
	theirs := openMemDB(b)
	addMemDB(b, theirs, 0, memoryLinks)
	end := heap()

	b.Run("bytes per link", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(middle-start)/memoryLinks, "ours-B/link")
		b.ReportMetric(float64(end-middle)/memoryLinks, "memdb-B/link")
		b.ReportMetric(float64(end-middle)/float64(middle-start), "x-smaller")
	})

	random := rand.New(rand.NewPCG(1, 2)).Perm(memoryLinks)
	pick := func(n int) int { return random[n%memoryLinks] }
	var got links.Link
	memDB := func(n int, tx *memdb.Txn, index string, args ...any) {
		found, err := tx.First("links", index, args...)
		if err != nil || found == nil || found.(*memDBLink).ID != int64(pick(n))+1 {
			b.Fatal(found, err)
		}
	}

	// Random ids miss every cache, which is most of what a get of ours then
	// takes; of a hot thousand the rows are in it. The ids are picked before.
	for name, of := range map[string]int{"random": memoryLinks, "hot": 1_000} {
		const mask = 1<<20 - 1
		ids := make([]int64, mask+1)
		for i := range ids {
			ids[i] = int64(random[i%of]) + 1
		}
		b.Run("get by id/"+name, func(b *testing.B) {
			inTurn(b, 1_000, nil, func(n int) {
				id := ids[n&mask]
				must(b, ours.Read(ctx, func(ctx context.Context, tx links.Tx) (err error) {
					got, err = tx.Links().Get(ctx, id)
					return err
				}))
				if got.ID != id {
					b.Fatal(got)
				}
			}, func(n int) {
				id := ids[n&mask]
				tx := theirs.Txn(false)
				if found, err := tx.First("links", "id", id); err != nil || found.(*memDBLink).ID != id {
					b.Fatal(found, err)
				}
			})
		})
		b.Run("get by id in one unit/"+name, func(b *testing.B) {
			must(b, ours.Read(ctx, func(ctx context.Context, tx links.Tx) error {
				repository, txn := tx.Links(), theirs.Txn(false)
				inTurn(b, 1_000, nil, func(n int) {
					id := ids[n&mask]
					if l, err := repository.Get(ctx, id); err != nil || l.ID != id {
						b.Fatal(l, err)
					}
				}, func(n int) {
					id := ids[n&mask]
					if found, err := txn.First("links", "id", id); err != nil || found.(*memDBLink).ID != id {
						b.Fatal(found, err)
					}
				})
				return nil
			}))
		})
	}

	wanted := make([]links.Link, 1_000)
	want := func(n int) {
		for i := range wanted {
			wanted[i] = memoryLink(pick(n + i))
		}
	}
	b.Run("get by key", func(b *testing.B) {
		inTurn(b, len(wanted), want, func(n int) {
			w := &wanted[n%len(wanted)]
			must(b, ours.Read(ctx, func(ctx context.Context, tx links.Tx) (err error) {
				got, err = tx.Links().Find(ctx, w.UserID, w.AdvertiserID, w.Key)
				return err
			}))
		}, func(n int) {
			w := &wanted[n%len(wanted)]
			memDB(n, theirs.Txn(false), "key", w.UserID, w.AdvertiserID, string(w.Key[:]))
		})
	})
	b.Run("get by key in one unit", func(b *testing.B) {
		must(b, ours.Read(ctx, func(ctx context.Context, tx links.Tx) error {
			repository, txn := tx.Links(), theirs.Txn(false)
			inTurn(b, len(wanted), want, func(n int) {
				w := &wanted[n%len(wanted)]
				if l, err := repository.Find(ctx, w.UserID, w.AdvertiserID, w.Key); err != nil || l.ID != int64(pick(n))+1 {
					b.Fatal(l, err)
				}
			}, func(n int) {
				w := &wanted[n%len(wanted)]
				memDB(n, txn, "key", w.UserID, w.AdvertiserID, string(w.Key[:]))
			})
			return nil
		}))
	})

	b.Run("page of 20", func(b *testing.B) {
		page := affiliate.PageRequest{Number: 2, Size: memoryPage}
		inTurn(b, 100, nil, func(n int) {
			filter := links.LinkFilter{UserID: int64(n%memoryUsers) + 1}
			must(b, ours.Read(ctx, func(ctx context.Context, tx links.Tx) error {
				p, err := tx.Links().List(ctx, filter, page)
				if len(p.Items) != memoryPage || p.Total < memoryLinks/memoryUsers {
					b.Fatal(p)
				}
				return err
			}))
		}, func(n int) {
			rows, err := theirs.Txn(false).Get("links", "user", int64(n%memoryUsers)+1)
			must(b, err)
			items, total := make([]memDBLink, 0, memoryPage), 0
			for row := rows.Next(); row != nil; row = rows.Next() {
				if total++; total > memoryPage && total <= 2*memoryPage {
					items = append(items, *row.(*memDBLink))
				}
			}
			if len(items) != memoryPage {
				b.Fatal(len(items))
			}
		})
	})

	b.Run("insert", func(b *testing.B) {
		fresh := make([]links.Link, 1_000)
		next := memoryLinks
		inTurn(b, len(fresh), func(int) {
			for i := range fresh {
				fresh[i] = memoryLink(next)
				next++
			}
		}, func(n int) {
			must(b, ours.Write(ctx, func(ctx context.Context, tx links.Tx) error {
				_, _, err := tx.Links().AddOrGet(ctx, fresh[n%len(fresh)])
				return err
			}))
		}, func(n int) {
			tx := theirs.Txn(true)
			must(b, tx.Insert("links", toMemDB(int64(next-len(fresh)+n%len(fresh)+1), fresh[n%len(fresh)])))
			tx.Commit()
		})
	})

	b.Run("target", func(b *testing.B) {
		var got links.Target
		n := 0
		for b.Loop() {
			id := int64(pick(n)) + 1
			n++
			must(b, ours.Read(ctx, func(ctx context.Context, tx links.Tx) error {
				one, err := tx.Links().Targets(ctx, []int64{id})
				if err == nil {
					got = one[0]
				}
				return err
			}))
		}
		if got.AdvertiserStatus != affiliate.AdvertiserActive {
			b.Fatal(got)
		}
	})
}

// memoryClicks makes batches of clicks as a recorder does: ids and times in order,
// readers and links at random.
type memoryClicks struct {
	random *rand.Rand
	n      int
}

func (m *memoryClicks) batch(size, ofLinks int) []links.Click {
	batch := make([]links.Click, size)
	for i := range batch {
		m.n++
		at := memoryStart.Add(time.Duration(m.n) * time.Millisecond)
		link := m.random.IntN(ofLinks)
		c := links.Click{
			LinkID: int64(link) + 1, UserID: int64(link%memoryUsers) + 1, AdvertiserID: int64(link/memoryUsers%memoryAdvertisers) + 1,
			At: at, Verdict: links.VerdictValid, Earning: affiliate.NewMoney(25, "SEK"), Cost: affiliate.NewMoney(40, "SEK"),
			Terms: `{"source":"general","cpc":25,"invoice_cpc":40}`,
		}
		binary.BigEndian.PutUint64(c.ID[:], uint64(at.UnixMilli())<<16|7<<12|uint64(m.n&0xfff))
		binary.BigEndian.PutUint64(c.ID[8:], 1<<63|m.random.Uint64()>>2)
		binary.LittleEndian.PutUint64(c.Visitor[:], m.random.Uint64())
		batch[i] = c
	}
	return batch
}

// recordClicks is what a recorder does with a batch: lock, look for duplicates,
// keep, book, count.
func recordClicks(b *testing.B, s links.Store, batch []links.Click) {
	visits := make([]links.Visit, len(batch))
	ids := make([]int64, len(batch))
	entries := make([]affiliate.Entry, len(batch))
	events := make([]stats.Fact, len(batch))
	must(b, s.Record(context.Background(), func(ctx context.Context, tx links.Tx) error {
		for i, c := range batch {
			visits[i], ids[i] = links.Visit{LinkID: c.LinkID, Visitor: c.Visitor, Previous: c.Visitor}, c.LinkID
			entries[i] = affiliate.Entry{
				Kind: affiliate.EntryClick, Account: affiliate.UserAccount(c.UserID), AdvertiserID: c.AdvertiserID,
				Earning: c.Earning, Cost: c.Cost, OccurredAt: c.At, PayableAt: c.At.Add(30 * 24 * time.Hour), Cause: c.Cause(), Terms: c.Terms,
			}
			events[i] = stats.Fact{
				Kind: stats.ClickValid, Day: links.DayOf(c.At), AdvertiserID: c.AdvertiserID, UserID: c.UserID, LinkID: c.LinkID,
				Source: c.Source, Earning: c.Earning, Cost: c.Cost,
			}
		}
		if _, err := tx.Links().Lock(ctx, ids); err != nil {
			return err
		}
		if _, err := tx.Clicks().LastValid(ctx, visits, batch[0].At.Add(-time.Hour)); err != nil {
			return err
		}
		if err := tx.Clicks().Add(ctx, batch...); err != nil {
			return err
		}
		if _, err := tx.Ledger().Append(ctx, entries...); err != nil {
			return err
		}
		return stats.Record(ctx, tx, events...)
	}))
}

// BenchmarkMemoryRecord is the click path without its HTTP: a batch of 64 clicks
// in one unit. Its floor is validating the same values alone, which every
// backend does (x-floor).
func BenchmarkMemoryRecord(b *testing.B) {
	s := openMemory(b)
	const ofLinks = 100_000
	addLinks(b, s, 0, ofLinks)
	clicks := memoryClicks{random: rand.New(rand.NewPCG(3, 4))}
	const size = 64
	var spent, floor time.Duration
	for range b.N {
		batch := clicks.batch(size, ofLinks)
		start := time.Now()
		recordClicks(b, s, batch)
		spent += time.Since(start)
		start = time.Now()
		for _, c := range batch {
			must(b, c.Validate())
			must(b, affiliate.Entry{
				Kind: affiliate.EntryClick, Account: "user:1", Earning: c.Earning, Cost: c.Cost, OccurredAt: c.At, PayableAt: c.At,
				Cause: "click:" + uuid.Nil.String(), Terms: c.Terms,
			}.Validate())
		}
		floor += time.Since(start)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*size), "ns/click")
	b.ReportMetric(float64(spent)/float64(floor), "x-floor")
}

// BenchmarkMemoryClickBytes is what a click takes, without and with what it is
// booked and counted in, at two million.
func BenchmarkMemoryClickBytes(b *testing.B) {
	const count, size, ofLinks = 2_000_000, 500, 100_000
	for _, c := range []struct {
		name   string
		record func(s links.Store, batch []links.Click)
	}{
		{"click", func(s links.Store, batch []links.Click) {
			must(b, s.Record(context.Background(), func(ctx context.Context, tx links.Tx) error { return tx.Clicks().Add(ctx, batch...) }))
		}},
		{"click with entry and roll-up", func(s links.Store, batch []links.Click) { recordClicks(b, s, batch) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := openMemory(b)
			addLinks(b, s, 0, ofLinks)
			clicks := memoryClicks{random: rand.New(rand.NewPCG(5, 6))}
			before := heap()
			for range count / size {
				c.record(s, clicks.batch(size, ofLinks))
			}
			for b.Loop() { // what it takes was already seen
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(heap()-before)/float64(clicks.n), "B/click")
			runtime.KeepAlive(s)
		})
	}
}
