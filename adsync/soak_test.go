package adsync_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/facebook"
	"github.com/affiliatekit/affiliatekit/adsync/google"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const (
	soakSeed  = 20261127
	soakTime  = 5 * time.Second // of real time, on each backend
	catalog   = "2001"
	source    = "accounts/1/dataSources/2"
	customer  = "1234567890"
	adAccount = "act_1"
)

// soak is acme with an ad account at the fakes of both services.
type soak struct {
	*world
	store    adsync.Store
	facebook *adsynctest.Facebook
	google   *adsynctest.Google
	random   *rand.Rand

	campaigns []adsync.Campaign
	adSets    []adsync.AdSet
	ads       []adsync.Ad
	items     int
}

func newSoak(t *testing.T, b storagetest.Backend) *soak {
	s := &soak{world: newWorld(t, b), store: b.AdSync, random: rand.New(rand.NewPCG(soakSeed, soakSeed))}
	s.facebook = adsynctest.NewFacebook(adsynctest.FacebookOptions{Clock: s.clock, Works: 30 * time.Second})
	s.google = adsynctest.NewGoogle(adsynctest.GoogleOptions{Clock: s.clock})
	s.connect("acme", adsync.AdAccountInput{ID: adAccount, Name: "Social", CatalogID: catalog})
	return s
}

// worker is an engine with drivers of its own, as another process has them, over
// a store that dies with it.
func (s *soak) worker(store adsync.Store) *adsync.Engine {
	s.t.Helper()
	return newWorker(s.t, store, s.clock, facebook.Options{HTTP: adsynctest.Client(s.facebook)}, google.Options{HTTP: adsynctest.Client(s.google)})
}

// newWorker is a worker for services that are found as the options say.
func newWorker(t testing.TB, store adsync.Store, clock affiliate.Clock, fo facebook.Options, g google.Options) *adsync.Engine {
	t.Helper()
	token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"})
	fo.Token, fo.Clock, fo.ItemBatch, fo.Page = token, clock, 4, func(string) string { return "7" }
	g.Token, g.Clock, g.Parallel = token, clock, 2
	toFacebook, err := facebook.New(fo)
	if err != nil {
		t.Fatal(err)
	}
	toGoogle, err := google.New(g)
	if err != nil {
		t.Fatal(err)
	}
	e, err := adsync.NewEngine(store, adsync.EngineOptions{
		Drivers: []adsync.Driver{toFacebook, toGoogle}, Clock: clock, Batch: 8, Lease: 2 * time.Minute, Attempts: 30, Idle: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// mortal is the store of a process that is killed: from then on nothing reaches
// the database.
type mortal struct {
	adsync.Store
	left atomic.Int64 // units until it is killed
	kill context.CancelFunc
}

var errKilled = errors.New("killed")

func (m *mortal) Work(ctx context.Context, fn func(context.Context, adsync.Tx) error) error {
	switch n := m.left.Add(-1); {
	case n < 0:
		return errKilled
	case n == 0: // after this unit, at the latest
		defer m.kill()
	}
	return m.Store.Work(ctx, fn)
}

// live works until there is nothing to do or the worker is killed at a random
// point: after a lease, before or between the calls, or before the results are
// kept.
func (s *soak) live(store adsync.Store, units int64) error {
	ctx, kill := context.WithCancel(s.t.Context())
	defer kill()
	m := &mortal{Store: store, kill: kill}
	m.left.Store(units)
	if units%2 == 1 { // the last unit is a lease, and its calls are made
		m.kill = func() {}
	}
	_, err := s.worker(m).RunOnce(ctx)
	if errors.Is(err, errKilled) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (s *soak) pick(n int) int { return s.random.IntN(n) }

// change makes a random change of a record.
func (s *soak) change(ctx context.Context) error {
	state := []adsync.State{adsync.Active, adsync.Active, adsync.Paused}[s.pick(3)]
	number := s.pick(1_000_000)
	switch s.pick(10) {
	case 0, 1:
		in := budgeted([]string{adAccount, customer}[s.pick(2)], fmt.Sprintf("Campaign %d", number))
		c, _, err := s.acme.SaveCampaign(ctx, in)
		if err == nil {
			s.campaigns = append(s.campaigns, c)
		}
		return err
	case 2, 3:
		if len(s.campaigns) == 0 {
			return nil
		}
		in := adSetIn(s.campaigns[s.pick(len(s.campaigns))])
		in.Title = adsync.Sent(fmt.Sprintf("Set %d", number))
		in.Configuration = adsync.Sent(adsync.Configuration{Geo: affiliate.Some(adsync.Targeting{Places: adsync.Places{Countries: []string{"BR"}}})})
		a, _, err := s.acme.SaveAdSet(ctx, in)
		if err == nil {
			s.adSets = append(s.adSets, a)
		}
		return err
	case 4, 5:
		if len(s.adSets) == 0 {
			return nil
		}
		a, _, err := s.acme.SaveAd(ctx, adIn(s.adSets[s.pick(len(s.adSets))], number))
		if err == nil {
			s.ads = append(s.ads, a)
		}
		return err
	case 6:
		if len(s.campaigns) == 0 {
			return nil
		}
		if s.pick(6) == 0 {
			state = adsync.Removed
		}
		_, err := s.acme.UpdateCampaign(ctx, s.campaigns[s.pick(len(s.campaigns))].ID.String(), adsync.CampaignInput{
			State: adsync.Sent(state), Title: adsync.Sent(fmt.Sprintf("Campaign %d", number)),
		})
		return err
	case 7:
		if len(s.ads) == 0 {
			return nil
		}
		a := s.ads[s.pick(len(s.ads))]
		if s.pick(4) == 0 {
			state = adsync.Removed
		}
		in := adIn(adsync.AdSet{Service: a.Service}, number)
		_, err := s.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{State: adsync.Sent(state), Creative: in.Creative})
		return err
	}
	in := vehicle(fmt.Sprintf("item-%d", s.pick(s.items+1)))
	s.items++
	in.Available = adsync.Sent(s.pick(3) > 0)
	in.Title = adsync.Sent(fmt.Sprintf("Item %d", number))
	in.Price = adsync.Sent(affiliate.NewMoney(int64(number+1), "BRL"))
	in.Images = adsync.Sent([]adsync.Image{{URL: "https://shop.example/p.png", Order: 1}})
	_, _, err := s.acme.SaveItem(ctx, in)
	return err
}

func adIn(set adsync.AdSet, number int) adsync.AdInput {
	in := textAd(set)
	in.Creative = adsync.Sent(adsync.Creative{HeadlinePart1: fmt.Sprintf("One %d", number), HeadlinePart2: "two", Description: "three"})
	if set.Service == adsync.FacebookAds {
		in.Type = adsync.Sent(adsync.ImageWithLink)
		in.Creative = adsync.Sent(adsync.Creative{
			Link: "https://shop.example/", Message: fmt.Sprintf("Message %d", number), Picture: "https://shop.example/p.png",
			Description: "three", CallToAction: "OPEN_LINK", LinkCaption: "shop.example",
		})
	}
	return in
}

// TestServicesHoldWhatTheRecordsSayWhateverFails has two workers at a time work
// on random changes, each killed at a random point, while one call in four fails.
// On Postgres each has connections of its own, as two processes have.
func TestServicesHoldWhatTheRecordsSayWhateverFails(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		b := backends.Memory()
		soakServices(t, b, b)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := backends.Database(t)
		soakServices(t, backends.Postgres(t, dsn), backends.Postgres(t, dsn))
	})
}

// soakServices is the soak of workers over two handles of one store.
func soakServices(t *testing.T, b, second storagetest.Backend) {
	is, ctx := is.New(t), t.Context()
	s := newSoak(t, b)
	stores := []adsync.Store{b.AdSync, second.AdSync}
	s.facebook.SetFault(adsynctest.Chaos(soakSeed, 0.25, adsynctest.CurableFaults()...))
	s.google.SetFault(adsynctest.Chaos(soakSeed+1, 0.25, adsynctest.CurableFaults()...))
	rounds := 0
	for end := time.Now().Add(soakTime); time.Now().Before(end) && rounds < 400; rounds++ {
		var workers sync.WaitGroup
		errs := make([]error, len(stores))
		for n, store := range stores {
			units := int64(1 + s.pick(8))
			workers.Go(func() { errs[n] = s.live(store, units) })
		}
		for range 6 {
			err := s.change(ctx)
			if e := (*affiliate.Error)(nil); err != nil && (!errors.As(err, &e) || e.Kind != affiliate.ErrState && e.Kind != affiliate.ErrInvalid) {
				t.Fatal(err) // a removed record is refused, and no more
			}
		}
		workers.Wait()
		is.NoErr(errors.Join(errs...))
		s.pass(time.Duration(s.pick(90)) * time.Second)
	}
	s.settle(b.AdSync)
	t.Logf("%d rounds, %d campaigns, %d ad sets, %d ads", rounds, len(s.campaigns), len(s.adSets), len(s.ads))
}

// settle works all off once nothing fails any more, and checks what came of it.
func (s *soak) settle(store adsync.Store) {
	is, ctx := is.New(s.t), s.t.Context()
	s.facebook.SetFault(nil)
	s.google.SetFault(nil)
	e := s.worker(store)
	for range 300 {
		_, err := e.RunOnce(ctx)
		is.NoErr(err)
		p, err := e.Progress(ctx, "acme", "")
		is.NoErr(err)
		if p.Queued+p.Leased == 0 {
			break
		}
		s.pass(5 * time.Minute)
	}
	s.check(e)
}

// check compares the services with the records.
func (s *soak) check(e *adsync.Engine) {
	t, ctx, is := s.t, s.t.Context(), is.New(s.t)
	jobs := must(s.operator.Jobs(ctx, adsync.JobFilter{AccountID: "acme"}, affiliate.PageRequest{Number: 1, Size: 100}))(t)
	for _, j := range jobs.Items {
		t.Errorf("%s %s is %s: %s %s", j.Kind, j.RecordID, j.State, j.Reason, j.Detail)
	}
	for _, at := range []string{adAccount, customer} {
		if p := must(e.Plan(ctx, "acme", at))(t); !p.Empty() {
			t.Error(p)
		}
		if d := must(e.Drift(ctx, "acme", at))(t); !d.Empty() {
			t.Error(d)
		}
	}
	// Each record has one object, and there are no others.
	want := map[string]int{}
	campaigns := must(s.acme.Campaigns(ctx, adsync.CampaignFilter{}, adsync.PageRequest{Size: 1000}))(t)
	for _, c := range campaigns.Items {
		want[string(c.Service)+" campaign "+adsync.Marker(c.ID)] = 1
	}
	sets := must(s.acme.AdSets(ctx, adsync.AdSetFilter{}, adsync.PageRequest{Size: 1000}))(t)
	for _, a := range sets.Items {
		want[string(a.Service)+" ad_set "+adsync.Marker(a.ID)] = 1
	}
	ads := must(s.acme.Ads(ctx, adsync.AdFilter{}, adsync.PageRequest{Size: 1000}))(t)
	for _, a := range ads.Items {
		want[string(a.Service)+" ad "+adsync.Marker(a.ID)] = 1
	}
	items := must(s.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{Size: 1000}))(t)
	is.Equal(s.objects(), want)
	is.Equal(len(s.facebook.Items(catalog)), len(items.Items))
	is.Equal(len(s.google.Products(source)), len(items.Items))
	for _, i := range items.Items {
		is.Equal(s.facebook.Items(catalog)[i.ID.String()]["title"], i.Title)
	}
	creatives := map[string]int{}
	for _, c := range s.facebook.Objects("adcreatives") {
		if creatives[c.Fields["name"]]++; creatives[c.Fields["name"]] > 1 {
			t.Errorf("the creative %s was made more than once", c.Fields["name"])
		}
	}
}

// objects counts the objects of the services by service, kind and marker.
func (s *soak) objects() map[string]int {
	out := map[string]int{}
	marked := func(name string) string { return strings.TrimSuffix(name[strings.LastIndexByte(name, '[')+1:], "]") }
	for edge, kind := range map[string]string{"campaigns": "campaign", "adsets": "ad_set", "ads": "ad"} {
		for _, o := range s.facebook.Objects(edge) {
			out["facebook-ads "+kind+" "+marked(o.Fields["name"])]++
		}
	}
	for collection, kind := range map[string]string{"campaigns": "campaign", "adGroups": "ad_set", "adGroupAds": "ad"} {
		for _, o := range s.google.Objects(collection) {
			name, _ := o.Fields["name"].(string)
			if ad, ok := o.Fields["ad"].(map[string]any); ok {
				name = fmt.Sprint(ad["urlCustomParameters"].([]any)[0].(map[string]any)["value"])
			}
			out["google-ads "+kind+" "+marked(name)]++
		}
	}
	return out
}

// TestTenThousandItemsKeepWithinTheAllowance runs on memory alone: it is about
// the calls.
func TestTenThousandItemsKeepWithinTheAllowance(t *testing.T) {
	const (
		items, batch, budget = 10_000, 20, 300
		ideal                = time.Duration((2*items/batch - 1) / budget) // hours: two calls a batch
	)
	is, ctx := is.New(t), t.Context()
	s := newSoak(t, backends.Memory())
	s.facebook = adsynctest.NewFacebook(adsynctest.FacebookOptions{Clock: s.clock, Budget: budget, Works: 20 * time.Second})
	for n := range items {
		in := vehicle(fmt.Sprintf("item-%d", n))
		in.Price = adsync.Sent(affiliate.NewMoney(100, "BRL"))
		in.Images = adsync.Sent([]adsync.Image{{URL: "https://shop.example/p.png", Order: 1}})
		kept(s.acme.SaveItem(ctx, in))(t)
	}
	token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"})
	d, err := facebook.New(facebook.Options{Token: token, HTTP: adsynctest.Client(s.facebook), Clock: s.clock, ItemBatch: batch})
	is.NoErr(err)
	e, err := adsync.NewEngine(s.store, adsync.EngineOptions{
		Drivers: []adsync.Driver{d}, Clock: s.clock, Batch: 1000, Jitter: func() float64 { return 0 },
		Wait: func(ctx context.Context, d time.Duration) error { s.pass(d); return ctx.Err() },
	})
	is.NoErr(err)
	begin := s.clock()
	_, err = e.Apply(ctx, "acme", adAccount)
	is.NoErr(err)
	took := s.clock().Sub(begin)
	calls, late := s.facebook.Calls()
	t.Logf("%d calls in %s, ideal %s", calls, took, ideal*time.Hour)
	is.Equal(late, 0) // no call after the service said stop
	is.Equal(len(s.facebook.Items(catalog)), items)
	if took > ideal*time.Hour*11/10 {
		t.Errorf("it took %s, more than 1.1 of the ideal %s", took, ideal*time.Hour)
	}
}
