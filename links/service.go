package links

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock  affiliate.Clock // default: affiliate.SystemClock
	Random io.Reader       // where visitor secrets come from; default: crypto/rand
	// NewID makes click ids; default: UUID version 7. Ids must grow with time.
	NewID func() (uuid.UUID, error)
	// PublicURL is where this service serves redirects, without a trailing
	// slash: a link with id 7 is PublicURL + "/c/7". Default: http://localhost:8080.
	PublicURL string
	// DuplicateWindow is how long a visitor's further clicks on a link are
	// duplicates. Default: 24 h, which is also the most: visitors are told apart
	// for two days only.
	DuplicateWindow time.Duration
	// ClickHold is how long a click's earning waits until it is payable. Default: 0.
	ClickHold time.Duration
	// RuleRefresh is how old the compiled URL rules may be before a match looks
	// for changes that other processes made. Default: 500 ms.
	RuleRefresh time.Duration
	// Clicks says how durable a click is when its redirect is answered.
	// Default: GroupCommit.
	Clicks ClickMode
	// ClickQueue bounds the clicks that wait in Async mode. Default: 65536.
	ClickQueue int
	// Charger prices valid clicks. Default: CampaignPrices.
	Charger Charger
	// ClickParameter is the query parameter that carries the click id to a direct
	// advertiser's shop: 1 to 64 letters, digits, "_", "-" and "." without a
	// meaning of its own in a report of an order. Package orders is told the same
	// name. Default: ClickIDParameter.
	ClickParameter string
	// DomainVerifiers are asked by VerifyRule, in their order. Default: none, so
	// that only the operator verifies domains (ConfirmRule).
	DomainVerifiers []DomainVerifier
	// Observe is told of each click that is kept, after its unit: the verdict, and
	// the reason when it is not valid. It must be quick and safe for concurrent
	// use. It is not told of clicks in a transaction of the host's, which may be
	// undone. Default: nobody is told.
	Observe func(verdict Verdict, reason string)
	// Tracer begins a span for each batch of clicks. Default: none.
	Tracer affiliate.Tracer
}

func (o Options) withDefaults() (Options, error) {
	o.DomainVerifiers = slices.Clone(o.DomainVerifiers)
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.NewID == nil {
		o.NewID = uuid.NewV7
	}
	if o.PublicURL == "" {
		o.PublicURL = "http://localhost:8080"
	}
	if o.DuplicateWindow == 0 {
		o.DuplicateWindow = 24 * time.Hour
	}
	if o.RuleRefresh == 0 {
		o.RuleRefresh = 500 * time.Millisecond
	}
	if o.ClickQueue == 0 {
		o.ClickQueue = 1 << 16
	}
	if o.Charger == nil {
		o.Charger = CampaignPrices{}
	}
	if o.ClickParameter == "" {
		o.ClickParameter = ClickIDParameter
	}
	u, err := url.Parse(o.PublicURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(o.PublicURL, "/"):
		return o, errors.New("links: PublicURL must be an http or https URL without query, fragment and trailing slash")
	case !ValidClickParameter(o.ClickParameter):
		return o, errors.New("links: ClickParameter must be 1 to 64 letters, digits, _, - and ., and no other parameter of a report")
	case o.DuplicateWindow < 0 || o.DuplicateWindow > 24*time.Hour:
		return o, errors.New("links: DuplicateWindow must be between 0 and 24 h")
	case o.ClickHold < 0:
		return o, errors.New("links: ClickHold must not be negative")
	case o.RuleRefresh < 0:
		return o, errors.New("links: RuleRefresh must not be negative")
	case o.ClickQueue < 0:
		return o, errors.New("links: ClickQueue must not be negative")
	case slices.Contains(o.DomainVerifiers, nil):
		return o, errors.New("links: DomainVerifiers must not have a nil")
	case o.Clicks > Async:
		return o, errors.New("links: unknown click mode")
	}
	return o, nil
}

// Service holds the rules of links: which URLs belong to whom, conversion,
// redirects and clicks. It is safe for concurrent use.
type Service struct {
	*machine
	viewer affiliate.Viewer
}

// machine is what all viewers of a service have in common.
type machine struct {
	store    Store
	opts     Options
	clock    affiliate.Clock
	rules    *ruleIndex
	visitors *visitorKeys
	recorder recorder
	hosted   bool       // it works in a transaction of the host's
	redirect string     // normalised PublicURL + "/c/"
	batches  *sync.Pool // of *clickBatch
}

// PublicURL is Options.PublicURL: what the addresses of this service begin
// with, without a trailing slash.
func (s *Service) PublicURL() string { return s.opts.PublicURL }

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("links: NewService needs a store")
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	base, err := Normalize(o.PublicURL + "/c/")
	if err != nil {
		return nil, err
	}
	s := &Service{machine: &machine{store: store, opts: o, clock: o.Clock, redirect: base.String()}}
	s.batches = &sync.Pool{New: func() any { return new(clickBatch) }}
	s.rules = &ruleIndex{store: store, maxAge: o.RuleRefresh}
	s.visitors = &visitorKeys{store: store, random: o.Random}
	if h, ok := store.(HostedStore); ok && h.Hosted() {
		s.hosted = true
		s.recorder = newHostedRecorder(o, s.recordBatch)
	} else {
		s.recorder = newRecorder(o, s.recordBatch, s.targets)
	}
	return s, nil
}

// For returns the service for a viewer. The operator may do everything. A
// creator has its own links and a client those of its users; who acts for an
// advertiser has its rules and the links to it. What the viewer may not see is
// ErrNotFound, as an unknown id is. LinkList, Clicks and TotalsOf are for the
// operator: they take no notice of the viewer.
func (s *Service) For(v affiliate.Viewer) *Service { return &Service{s.machine, v} }

// In returns the service in a transaction of the host's: over store, which is in
// that, and with what this service has compiled and cached. What the transaction
// changed is seen in it. In GroupCommit mode a click of Follow is a unit of its own.
func (s *Service) In(store Store) *Service {
	m := &machine{store: store, opts: s.opts, clock: s.clock, hosted: true, redirect: s.redirect, batches: s.batches}
	m.rules = &ruleIndex{store: store, base: s.rules}
	m.visitors = &visitorKeys{store: store, random: s.opts.Random, base: s.visitors}
	in := &Service{m, s.viewer}
	m.recorder = newHostedRecorder(s.opts, in.recordBatch)
	return in
}

// units is the store as the one-value helpers take it.
func (s *Service) units() affiliate.Store[Tx] { return s.store }

// Run records queued clicks in Async mode until the context ends, then those
// that still wait; in the other modes it only waits for the context. It is
// called once.
func (s *Service) Run(ctx context.Context) error { return s.recorder.run(ctx) }

// Dropped is how many clicks Async mode lost: the queue was full, or the
// backend refused them for good. The other modes lose none.
func (s *Service) Dropped() int64 { return s.recorder.dropped() }
