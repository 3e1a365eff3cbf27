package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// sim is one market from its seed.
type sim struct {
	seed   uint64
	bug    bug
	random *rand.Rand
	now    time.Time
	faults bool
	seen   map[offers.UsageKey]offers.Counts // by the dropped lock
	trace  strings.Builder

	actors  []*actor
	current *actor
	paused  chan bool // whoever had the turn gives it back; true: with their task done

	truth  *affiliatekit.Kit // over the data, without faults
	db     *memory.DB
	google *adsynctest.Driver

	advertiser affiliate.Advertiser
	offers     []offers.Offer
	links      []links.Link
	visitors   int

	// What was acknowledged.
	clicks    map[uuid.UUID]bool
	sales     map[string]orders.Report // by number; also those whose fate is not known yet
	booked    map[string]int64         // the order of a number
	refunds   map[string]int64         // the order that a reference refunds
	items     map[string]string        // the title of a reference
	uncertain map[string]bool          // items whose last save may have failed
	delivered map[int64]bool
}

// actor is a process that does one task after the other, a step at a time.
type actor struct {
	name string
	kit  *affiliatekit.Kit
	task func(context.Context, *affiliatekit.Kit) error
	turn chan struct{}
	busy bool
	// request: somebody waits for the end of the task.
	request bool
}

const budget = 400 // of each campaign, in minor units

func newSim(seed uint64, b bug) (*sim, error) {
	s := &sim{
		seed: seed, bug: b, random: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), paused: make(chan bool),
		seen: map[offers.UsageKey]offers.Counts{}, clicks: map[uuid.UUID]bool{}, sales: map[string]orders.Report{}, booked: map[string]int64{},
		refunds: map[string]int64{}, items: map[string]string{}, uncertain: map[string]bool{}, delivered: map[int64]bool{},
		db: memory.New(), google: adsynctest.NewDriver(adsync.GoogleAds),
	}
	var err error
	if s.truth, err = s.process(s.db); err != nil {
		return nil, err
	}
	return s, s.settle(context.Background())
}

// process is a kit of its own over the data.
func (s *sim) process(b affiliatekit.Backend) (*affiliatekit.Kit, error) {
	o := affiliatekit.Options{Clock: func() time.Time { return s.now }, Random: rand.NewChaCha8([32]byte{byte(s.seed), byte(s.seed >> 8)})}
	o.Links.Clicks, o.Links.RuleRefresh = links.Sync, time.Nanosecond
	o.Links.NewID, o.AdSync.NewID = s.newID, s.newID
	o.Events.Jitter, o.AdSyncEngine.Jitter = s.random.Float64, s.random.Float64
	o.AdSyncEngine.Drivers, o.AdSyncEngine.Batch, o.AdSyncEngine.Attempts = []adsync.Driver{s.google}, 4, 100
	k, err := affiliatekit.New(b, o)
	if err != nil {
		return nil, err
	}
	return k, k.Events.Subscribe("host", nil, s.receive)
}

// newID makes ids that grow with time, and are the seed's.
func (s *sim) newID() (uuid.UUID, error) {
	var id uuid.UUID
	ms := uint64(s.now.UnixMilli())
	for n := range 6 {
		id[n] = byte(ms >> (40 - 8*n))
	}
	a, b := s.random.Uint64(), s.random.Uint64()
	for n := range 5 {
		id[6+n], id[11+n] = byte(a>>(8*n)), byte(b>>(8*n))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id, nil
}

// settle founds the market, without faults.
func (s *sim) settle(ctx context.Context) error {
	k := s.truth
	if err := k.Events.Register(ctx); err != nil {
		return err
	}
	var err error
	s.advertiser, err = k.Links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"}, Domains: []string{"acme.example"},
	})
	if err != nil {
		return err
	}
	percent, err := affiliate.ParseRate("rate", "0.05")
	if err != nil {
		return err
	}
	for n := range 2 {
		o := offers.Offer{AdvertiserID: s.advertiser.ID, Type: offers.Standard, Name: fmt.Sprint("campaign ", n), BudgetLimit: affiliate.Some[int64](budget)}
		o.Costs = []offers.Costs{{Costs: affiliate.Costs{CPC: affiliate.Some(int64(9 + n)), CPA: affiliate.Some(percent)}}}
		saved, err := k.Offers.CreateOffer(ctx, offers.OfferInput{Offer: o})
		if err != nil {
			return err
		}
		s.offers = append(s.offers, saved.Offer)
	}
	for n := range 3 {
		u, err := k.Core.CreateUser(ctx, affiliate.User{Username: fmt.Sprint("creator", n), VerifiedAt: s.now})
		if err != nil {
			return err
		}
		v, _, err := k.Links.Convert(ctx, links.Conversion{UserID: u.ID, URL: "https://acme.example/shoes"})
		if err != nil {
			return err
		}
		s.links = append(s.links, v.Link)
	}
	if _, err := k.AdSync.RegisterAccount(ctx, adsync.AccountInput{ID: "acme", Name: "Acme", FingerprintKey: [32]byte{7}}); err != nil {
		return err
	}
	_, err = k.AdSync.ForAccount("acme").ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "1234567890", Name: "Search", CatalogID: "c"})
	return err
}

func (s *sim) chance(p float64) bool { return s.random.Float64() < p }
func (s *sim) pick(n int) int        { return s.random.IntN(n) }

// unit lets somebody else go on, and then runs a unit of work that may fail.
func (s *sim) unit(run func() error) error {
	if me := s.current; me != nil {
		s.paused <- false
		<-me.turn
	}
	if s.faults && s.chance(0.04) {
		return affiliate.Unavailable(errDown)
	}
	err := run()
	if err == nil && s.faults && s.chance(0.04) {
		return affiliate.Unavailable(errLost)
	}
	return err
}

// gather gathers who takes part, each a process.
func (s *sim) gather() error {
	s.actors = []*actor{
		{name: "reader 1", task: s.follow, request: true}, {name: "reader 2", task: s.follow, request: true},
		{name: "shop 1", task: s.sell, request: true}, {name: "shop 2", task: s.sell, request: true}, {name: "refunds", task: s.refund, request: true},
		{name: "feed", task: s.feed, request: true}, {name: "deliverer", task: s.deliver},
		{name: "worker 1", task: s.sync}, {name: "worker 2", task: s.sync}, {name: "time", task: s.pass},
	}
	for _, a := range s.actors {
		var err error
		if a.kit, err = s.process(backend{s.db, s}); err != nil {
			return err
		}
		a.turn = make(chan struct{})
	}
	return nil
}

// run lets the actors take turns, and checks after each; then it brings everything
// to its end without faults, and checks that.
func (s *sim) run(turns int) error {
	ctx := context.Background()
	if err := s.gather(); err != nil {
		return err
	}
	all := s.actors
	var failed error
	for _, a := range all {
		go func() {
			for range a.turn {
				if err := a.task(ctx, a.kit); err != nil && !errors.Is(err, affiliate.ErrUnavailable) && failed == nil {
					failed = fmt.Errorf("%s: %w", a.name, err)
				}
				s.paused <- true
			}
		}()
	}
	turn := func(a *actor) error {
		s.current, a.busy = a, true
		a.turn <- struct{}{}
		a.busy = !<-s.paused
		s.current = nil
		if failed != nil {
			return failed
		}
		fmt.Fprintln(&s.trace, a.name, a.busy, s.now.Unix())
		return s.check(ctx)
	}
	defer func() {
		for _, a := range all {
			for a.busy { // a task that is not at its end goes on, so that no goroutine stays
				s.current = a
				a.turn <- struct{}{}
				a.busy = !<-s.paused
			}
			close(a.turn)
		}
		s.current = nil
	}()
	s.faults = true
	for range turns {
		if err := turn(all[s.pick(len(all))]); err != nil {
			return err
		}
	}
	s.faults = false
	s.google.SetFault(nil)
	for _, a := range all {
		for a.busy {
			if err := turn(a); err != nil {
				return err
			}
		}
	}
	return s.end(ctx)
}

func (s *sim) follow(ctx context.Context, k *affiliatekit.Kit) error {
	if s.chance(0.7) {
		s.visitors++
	}
	hit := links.Hit{LinkID: s.links[s.pick(len(s.links))].ID, IP: fmt.Sprintf("192.0.2.%d", 1+s.visitors%250), UserAgent: "Firefox"}
	to, err := k.Links.Follow(ctx, hit)
	if err == nil {
		s.clicks[to.Click.Value.ID] = true
	}
	return err
}

func (s *sim) sell(ctx context.Context, k *affiliatekit.Kit) error {
	number := fmt.Sprint("n", s.pick(len(s.sales)+2)) // mostly one that was reported before, or may have been
	report, again := s.sales[number]
	if !again {
		report = orders.Report{AdvertiserID: s.advertiser.ID, Number: number, Value: decimal.New(int64(100+s.pick(4000)), -2), At: s.now}
		for id := range s.clicks {
			if len(report.ClickIDs) == 0 || strings.Compare(id.String(), report.ClickIDs[0].String()) > 0 { // the newest, whatever a map's order is
				report.ClickIDs = []uuid.UUID{id}
			}
		}
		s.sales[number] = report
	}
	results, err := k.Orders.ReportMany(ctx, []orders.Report{report})
	if err == nil {
		err = results[0].Err
	}
	if err == nil {
		if id, known := s.booked[number]; known && id != results[0].Order.ID {
			return fmt.Errorf("the order %s is %d and %d", number, id, results[0].Order.ID)
		}
		s.booked[number] = results[0].Order.ID
	}
	return err
}

func (s *sim) refund(ctx context.Context, k *affiliatekit.Kit) error {
	id, ok := s.booked[fmt.Sprint("n", s.pick(len(s.sales)+1))]
	if !ok {
		return nil
	}
	reference := fmt.Sprintf("r%d-%d", id, s.pick(3))
	_, _, err := k.Orders.Refund(ctx, id, orders.RefundInput{Reference: reference, Value: affiliate.Some(decimal.New(25, -2))})
	if err == nil {
		s.refunds[reference] = id
	}
	if errors.Is(err, affiliate.ErrInvalid) { // nothing is left of it
		return nil
	}
	return err
}

func (s *sim) deliver(ctx context.Context, k *affiliatekit.Kit) error {
	_, err := k.Events.Deliver(ctx)
	return err
}

func (s *sim) receive(_ context.Context, e affiliate.Event) error {
	if s.faults && s.chance(0.1) {
		return errors.New("the subscriber is down")
	}
	s.delivered[e.ID] = true
	return nil
}

func (s *sim) feed(ctx context.Context, k *affiliatekit.Kit) error {
	reference, title := fmt.Sprint("item-", s.pick(6)), fmt.Sprint("Title ", s.pick(1000))
	s.uncertain[reference] = true
	results, err := k.AdSync.ForAccount("acme").SaveItems(ctx, []adsync.ItemInput{{
		ReferenceID: adsync.Sent(reference), AdTemplateType: adsync.Sent("vehicle"), Available: adsync.Sent(s.chance(0.8)), ContentLanguage: adsync.Sent("pt-br"),
		Title: adsync.Sent(title), Link: adsync.Sent("https://acme.example/" + reference), Price: adsync.Sent(affiliate.NewMoney(100, "BRL")),
		Images: adsync.Sent([]adsync.Image{{URL: "https://acme.example/p.png", Order: 1}}),
	}})
	if err == nil {
		err = results[0].Err
	}
	if err == nil {
		s.items[reference] = title
		delete(s.uncertain, reference)
	}
	return err
}

// sync works jobs off at a service that fails now and then, also after it has
// done what it was asked for.
func (s *sim) sync(ctx context.Context, k *affiliatekit.Kit) error {
	s.google.SetFault(func(adsync.Operation) adsynctest.Fault {
		if !s.faults || !s.chance(0.2) {
			return adsynctest.Fault{}
		}
		return adsynctest.Fault{Failure: &adsync.Failure{Code: "timeout", Retryable: true}, Applied: s.chance(0.5)}
	})
	_, err := k.AdSyncEngine.RunOnce(ctx)
	return err
}

func (s *sim) pass(context.Context, *affiliatekit.Kit) error {
	most := 720
	if slices.ContainsFunc(s.actors, func(a *actor) bool { return a.request && a.busy }) { // none of these takes days
		most = 10
	}
	s.now = s.now.Add(time.Duration(1+s.pick(most)) * time.Minute)
	return nil
}
