package links

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/gather"
	"github.com/affiliatekit/affiliatekit/links/internal/publicsuffix"
)

// ClickIDParameter carries the click id to a direct advertiser's shop, unless
// Options.ClickParameter names another parameter.
const ClickIDParameter = "mtpc_cid"

// Hit is one request for a link's redirect.
type Hit struct {
	LinkID    int64
	IP        string // of the reader; only a keyed hash is kept
	UserAgent string // likewise
	Source    affiliate.TrafficSource
	Bot       bool // the reader is a program; whoever reads the user agent decides
	// Uncounted: the request is no click (HEAD, prefetch). The answer is the
	// same and nothing is kept.
	Uncounted bool
}

// Redirect is the result of a hit.
type Redirect struct {
	URL   string
	Click affiliate.Optional[Click] // what was kept; in Async mode its verdict is not known yet
}

// Follow returns where a link leads and records the click, as durably as the
// click mode says. The URL is always the link's own, never one from the
// request. A link that is deleted, or whose creator is banned or advertiser
// deactivated, leads to the plain shop URL and its clicks earn nothing. An
// unknown link is ErrNotFound; when the click cannot be kept the error says so
// and the reader should not be sent on. Inside a unit of the same store it is
// ErrNested; so it is in Async mode inside a transaction of the host.
func (s *Service) Follow(ctx context.Context, h Hit) (r Redirect, err error) {
	if h.Uncounted {
		t, err := s.target(ctx, h.LinkID)
		if err != nil {
			return r, err
		}
		return Redirect{URL: t.location(s.opts.ClickParameter, "")}, nil
	}
	if s.store.Nested(ctx) { // one commit serves many requests, and would wait for this one's unit
		return r, affiliate.ErrNested
	}
	p, err := s.pending(ctx, h)
	if err != nil {
		return r, err
	}
	// The unit that keeps the click has read where its link leads.
	err = s.recorder.record(ctx, p)
	if errors.Is(err, affiliate.ErrNotFound) {
		err = affiliate.NotFound("link", h.LinkID)
	}
	if err != nil {
		return r, err
	}
	r.URL = p.to
	if p.click.Verdict != "" {
		r.Click = affiliate.Some(p.click)
	}
	return r, nil
}

// pendingTarget is a request for where a link leads.
type pendingTarget struct {
	gather.Call // ErrNotFound when there is no such link

	linkID int64
	target Target
}

// target returns where one link leads.
func (s *Service) target(ctx context.Context, linkID int64) (Target, error) {
	p := pendingTarget{linkID: linkID}
	if err := s.targets(ctx, []*pendingTarget{&p}); err != nil {
		return Target{}, err
	}
	return p.target, p.Err
}

// targets reads where links lead, in one unit.
func (s *Service) targets(ctx context.Context, batch []*pendingTarget) error {
	ids := make([]int64, len(batch))
	for i, p := range batch {
		ids[i] = p.linkID
	}
	found, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Target, error) { return tx.Links().Targets(ctx, ids) })
	if err != nil {
		return err
	}
	for _, p := range batch {
		i, there := slices.BinarySearchFunc(found, p.linkID, func(t Target, id int64) int { return cmp.Compare(t.Link.ID, id) })
		if !there {
			p.Err = affiliate.NotFound("link", p.linkID)
			continue
		}
		p.target = found[i]
	}
	return nil
}

// location returns where the reader goes; parameter carries the click id.
func (t *Target) location(parameter, clickID string) string {
	if !t.Link.DeletedAt.IsZero() || t.UserSuspended || t.AdvertiserStatus != affiliate.AdvertiserActive {
		return t.Link.TargetURL
	}
	to := fillTemplate(t.Link.Template, templateValues{TargetURL: t.Link.TargetURL, LinkID: t.Link.ID, UserID: t.Link.UserID, ClickID: clickID})
	if clickID != "" && t.takesClickID(parameter) {
		to = appendQuery(to, parameter, clickID)
	}
	return to
}

// takesClickID reports whether the click id is added to where the reader goes:
// to the shop's own address, not to a network's, and not a second time.
func (t *Target) takesClickID(parameter string) bool {
	if t.Provider != affiliate.ProviderDirect {
		return false
	}
	if t.Link.Template == DefaultTemplate {
		return true
	}
	tail, ok := cutTarget(t.Link.Template)
	return ok && !hasParameter(tail, parameter)
}

// hasParameter reports whether the tail of a template names a query parameter. What
// only ends alike is another one.
func hasParameter(tail, name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(tail, func(r rune) bool { return r == '?' || r == '&' || r == '#' }), func(pair string) bool {
		return strings.HasPrefix(pair, name+"=")
	})
}

// pendingClick is a click on its way to be recorded, and what became of it.
type pendingClick struct {
	gather.Call // ErrNotFound when there is no such link

	click    Click // without verdict and money, until it is kept
	previous VisitorKey
	to       string // where the reader goes, once it is kept
	bot      bool
}

func (s *Service) pending(ctx context.Context, h Hit) (*pendingClick, error) {
	now := s.clock.Now()
	today, previous, err := s.visitors.of(ctx, now, h.IP, h.UserAgent)
	if err != nil {
		return nil, err
	}
	id, err := s.opts.NewID()
	if err != nil {
		return nil, err
	}
	return &pendingClick{click: Click{ID: id, LinkID: h.LinkID, At: now, Source: h.Source, Visitor: today}, previous: previous, bot: h.Bot}, nil
}

// sourceSites are the registrable domains and the app ids of the networks.
var sourceSites = map[string]affiliate.TrafficSource{
	"instagram.com": affiliate.SourceInstagram, "ig.me": affiliate.SourceInstagram,
	"com.instagram.android": affiliate.SourceInstagram, "com.instagram.lite": affiliate.SourceInstagram,

	"tiktok.com": affiliate.SourceTikTok, "tiktokv.com": affiliate.SourceTikTok,
	"com.zhiliaoapp.musically": affiliate.SourceTikTok, "com.zhiliaoapp.musically.go": affiliate.SourceTikTok,
	"com.ss.android.ugc.trill": affiliate.SourceTikTok, "com.ss.android.ugc.tiktok.lite": affiliate.SourceTikTok,

	"youtube.com": affiliate.SourceYouTube, "youtu.be": affiliate.SourceYouTube, "youtube-nocookie.com": affiliate.SourceYouTube,
	"com.google.android.youtube": affiliate.SourceYouTube, "com.google.android.apps.youtube.kids": affiliate.SourceYouTube,
	"com.google.android.apps.youtube.music": affiliate.SourceYouTube, "com.google.android.youtube.tv": affiliate.SourceYouTube,

	"facebook.com": affiliate.SourceFacebook, "fb.com": affiliate.SourceFacebook, "fb.me": affiliate.SourceFacebook, "fb.watch": affiliate.SourceFacebook,
	"com.facebook.katana": affiliate.SourceFacebook, "com.facebook.lite": affiliate.SourceFacebook,
}

// SourceOf returns where a click comes from: src, when it names a traffic
// source, else the network whose site or Android app the Referer header names;
// general otherwise.
func SourceOf(src, referer string) affiliate.TrafficSource {
	if src != "" {
		if s, ok := affiliate.ParseTrafficSource(src); ok {
			return s
		}
	}
	if referer == "" {
		return affiliate.SourceGeneral
	}
	u, err := url.Parse(referer)
	if err != nil {
		return affiliate.SourceGeneral
	}
	host := strings.ToLower(u.Hostname())
	switch u.Scheme {
	case "android-app":
		return sourceSites[host]
	case "http", "https":
		domain, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(host, "."))
		if err != nil {
			return affiliate.SourceGeneral
		}
		return sourceSites[domain]
	}
	return affiliate.SourceGeneral
}

// Clicks lists clicks.
func (s *Service) Clicks(ctx context.Context, f ClickFilter, p affiliate.PageRequest) (affiliate.Page[Click], error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[Click], error) {
		return tx.Clicks().List(ctx, f, p)
	})
}

// reportParameters are the other parameters of a report of an order; see
// orders.ParseBeacon.
var reportParameters = []string{"organization", "event", "ordernumber", "ordervalue", "currency", "voucher", "tax", "shipping", "signature"}

// ValidClickParameter reports whether a query parameter of that name can carry a
// click id to a shop and back.
func ValidClickParameter(name string) bool {
	if name == "" || len(name) > 64 || slices.Contains(reportParameters, strings.ToLower(name)) {
		return false
	}
	return strings.IndexFunc(name, func(c rune) bool {
		return c >= 0x80 || !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.')
	}) < 0
}
