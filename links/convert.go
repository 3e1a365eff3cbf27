package links

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Reason says why a URL cannot be converted. It is also the code of the error.
type Reason string

// The reasons.
const (
	ReasonNone            Reason = ""
	ReasonInvalidURL      Reason = "invalid_url"
	ReasonNoAdvertiser    Reason = "no_advertiser"
	ReasonBlocked         Reason = "blocked"
	ReasonNotVisible      Reason = "not_visible"
	ReasonAffiliateLink   Reason = "already_affiliate_link"
	ReasonUserNotApproved Reason = "user_not_approved"
)

var reasonMessages = map[Reason]string{
	ReasonNoAdvertiser:    "No advertiser has this URL.",
	ReasonBlocked:         "The advertiser does not work with this user.",
	ReasonNotVisible:      "The advertiser is not visible.",
	ReasonAffiliateLink:   "The URL is an affiliate link already.",
	ReasonUserNotApproved: "The user is not approved.",
}

// AmbiguousError says that several advertisers have a URL and none was named.
// errors.As finds it behind the ErrInvalid with the code "ambiguous_advertiser".
type AmbiguousError struct {
	Advertisers []affiliate.Advertiser // most specific rule first
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("links: %d advertisers have the URL", len(e.Advertisers))
}

// Conversion asks for a link.
type Conversion struct {
	UserID       int64
	URL          string
	AdvertiserID int64 // which advertiser, when several have the URL; 0: whoever has it
	GroupID      int64 // only advertisers of this group; 0: of any
	// IgnoreVisibility finds hidden advertisers too: for the operator all, for
	// others those that they act for.
	IgnoreVisibility bool
}

// Inspection says what a conversion would find.
type Inspection struct {
	URL         string
	Reason      Reason
	Existing    affiliate.Optional[LinkView] // the link that the user has for it already
	Advertisers []affiliate.Advertiser       // most specific rule first
	// Unverified marks Advertisers who say that the URL is theirs without a proof:
	// no verified rule has it. It is true of all of them or of none.
	Unverified bool
}

// Convertible reports whether a link can be made, once an advertiser is chosen.
func (i Inspection) Convertible() bool { return i.Reason == ReasonNone }

// LinkView is a link with its advertiser.
type LinkView struct {
	Link       Link
	Advertiser affiliate.Advertiser
}

// found is what is known about a URL within a unit.
type found struct {
	url        URL
	reason     Reason
	existing   affiliate.Optional[LinkView]
	candidates []affiliate.Advertiser
	unverified bool // the candidates' rules
}

// Inspect says whether the user can convert a URL, and with whom
// (user-affiliate-link-inspect). A URL that cannot be converted is no error.
func (s *Service) Inspect(ctx context.Context, c Conversion) (Inspection, error) {
	f, err := readURL(ctx, s, c, func(ctx context.Context, tx Tx, f found) (found, error) {
		if len(f.candidates) != 1 {
			return f, nil
		}
		l, err := tx.Links().Find(ctx, c.UserID, f.candidates[0].ID, keyOf(s.targetURL(f.url, f.candidates[0])))
		if err == nil && l.DeletedAt.IsZero() {
			f.existing = affiliate.Some(LinkView{Link: l, Advertiser: f.candidates[0]})
		}
		return f, ignoreNotFound(err)
	}, s.store.Read)
	if e := (*affiliate.Error)(nil); errors.As(err, &e) && e.Code == string(ReasonInvalidURL) {
		f, err = found{reason: ReasonInvalidURL}, nil
	}
	if err != nil {
		return Inspection{}, err
	}
	return Inspection{URL: c.URL, Reason: f.reason, Existing: f.existing, Advertisers: f.candidates, Unverified: f.unverified}, nil
}

// Convert makes the user's link for a URL and an advertiser that has it, and
// says whether it is new: the same user, advertiser and normalised URL always
// answer the same link, also when two ask at once
// (user-affiliate-link-convert-v3). One of the user's own affiliate links
// converts to itself. It is ErrInvalid with a Reason as its code when the URL
// cannot be converted, and "ambiguous_advertiser" (an AmbiguousError) when
// several advertisers have it and none is named; with the field
// "tracking_template" when the advertiser's would lead readers elsewhere.
func (s *Service) Convert(ctx context.Context, c Conversion) (LinkView, bool, error) {
	type conversion struct {
		view    LinkView
		created bool
	}
	out, err := readURL(ctx, s, c, func(ctx context.Context, tx Tx, f found) (out conversion, err error) {
		if f.reason == ReasonAffiliateLink && f.existing.Set {
			return conversion{view: f.existing.Value}, nil
		}
		a, err := f.one()
		if err != nil {
			return out, err
		}
		out.view = LinkView{Link: s.newLink(c, f.url, a), Advertiser: a}
		if out.view.Link, out.created, err = tx.Links().AddOrGet(ctx, out.view.Link); err != nil {
			return out, err
		}
		if l := &out.view.Link; !l.DeletedAt.IsZero() { // it comes back to life as it would be made now
			fresh := s.newLink(c, f.url, a)
			fresh.ID, fresh.CreatedAt = l.ID, l.CreatedAt
			*l, out.created = fresh, true
			if err := tx.Links().Update(ctx, fresh); err != nil {
				return out, err
			}
		}
		if out.created {
			if err := tx.Events().Add(ctx, out.view.Link.event(EventLinkCreated, s.clock.Now())); err != nil {
				return out, err
			}
		}
		return out, tx.Users().Relate(ctx, c.UserID, a.ID, true)
	}, s.store.Write)
	return out.view, out.created, err
}

// DryConvert returns the link that Convert would make, with the id 0, or the
// one that is there, and keeps nothing.
func (s *Service) DryConvert(ctx context.Context, c Conversion) (LinkView, error) {
	return readURL(ctx, s, c, func(ctx context.Context, tx Tx, f found) (LinkView, error) {
		if f.reason == ReasonAffiliateLink && f.existing.Set {
			return f.existing.Value, nil
		}
		a, err := f.one()
		if err != nil {
			return LinkView{}, err
		}
		return LinkView{Link: s.newLink(c, f.url, a), Advertiser: a}, nil
	}, s.store.Read)
}

// targetURL is where a link leads: the URL without what the advertiser's template
// adds to it. A creator may have copied the address behind another link.
func (s *Service) targetURL(u URL, a affiliate.Advertiser) URL {
	return u.without(addedParameters(a.TrackingTemplate, s.opts.ClickParameter))
}

func (s *Service) newLink(c Conversion, u URL, a affiliate.Advertiser) Link {
	u = s.targetURL(u, a)
	l := Link{
		UserID: c.UserID, AdvertiserID: a.ID, Key: keyOf(u),
		OriginalURL: strings.TrimSpace(c.URL), TargetURL: u.Full(),
		Template: a.TrackingTemplate, CreatedAt: s.clock.Now(),
	}
	if l.TargetURL == l.OriginalURL {
		l.TargetURL = l.OriginalURL // one string in memory
	}
	return l
}

func keyOf(u URL) LinkKey { return sha256.Sum256([]byte(u.String())) }

// one is the advertiser to convert with, or why there is none.
func (f found) one() (affiliate.Advertiser, error) {
	switch {
	case f.reason != ReasonNone:
		return affiliate.Advertiser{}, refuse(f.reason, nil)
	case len(f.candidates) > 1:
		return affiliate.Advertiser{}, &affiliate.Error{
			Kind: affiliate.ErrInvalid, Code: "ambiguous_advertiser", Resource: "link",
			Message: "Several advertisers have this URL: name one.",
			Fields:  []affiliate.FieldError{{Field: "advertiser_id", Code: "required", Message: "is required: several advertisers have this URL"}},
			Err:     &AmbiguousError{Advertisers: f.candidates},
		}
	}
	a := f.candidates[0]
	return a, validateTemplate(a.TrackingTemplate) // which package affiliate takes as it is
}

func refuse(r Reason, cause error) error {
	message := reasonMessages[r]
	return &affiliate.Error{
		Kind: affiliate.ErrInvalid, Code: string(r), Resource: "link", Message: message, Err: cause,
		Fields: []affiliate.FieldError{{Field: "url", Code: string(r), Message: "cannot be converted: " + strings.ToLower(message[:1]) + strings.TrimSuffix(message[1:], ".")}},
	}
}

// readURL finds out about a conversion's URL and goes on with fn, in one unit
// of the given kind. The compiled rules are asked before the unit begins.
func readURL[V any](ctx context.Context, s *Service, c Conversion, fn func(context.Context, Tx, found) (V, error),
	unit func(context.Context, func(context.Context, Tx) error) error) (out V, err error) {
	u, err := Normalize(c.URL)
	if err != nil { // whether the user is there comes first
		if unseen := s.store.Read(ctx, func(ctx context.Context, tx Tx) error {
			_, err := affiliate.VisibleUser(ctx, tx, s.viewer, c.UserID)
			return err
		}); unseen != nil {
			return out, unseen
		}
		return out, err
	}
	u = u.without([]string{s.opts.ClickParameter})
	matcher, err := s.rules.matcher(ctx)
	if err != nil {
		return out, err
	}
	matches := matcher.Match(u, nil)
	err = unit(ctx, func(ctx context.Context, tx Tx) error {
		f, err := s.find(ctx, tx, c, u, matches)
		if err != nil {
			return err
		}
		out, err = fn(ctx, tx, f)
		return err
	})
	if err != nil {
		var none V
		return none, err
	}
	return out, nil
}

// find narrows the matching advertisers down to those that the user may
// convert with.
func (s *Service) find(ctx context.Context, tx Tx, c Conversion, u URL, matches []Match) (found, error) {
	f := found{url: u}
	user, err := affiliate.VisibleUser(ctx, tx, s.viewer, c.UserID)
	if err != nil {
		return f, err
	}
	if id, ours := s.linkID(u); ours {
		f.reason = ReasonAffiliateLink
		f.existing, err = ownLink(ctx, tx, id, c.UserID)
		return f, err
	}
	if user.Status() != affiliate.UserAccepted {
		f.reason = ReasonUserNotApproved
		return f, nil
	}
	ids := make([]int64, 0, len(matches))
	unverified := false
	for _, m := range matches {
		unverified = unverified || m.Unverified
		if c.AdvertiserID == 0 || m.AdvertiserID == c.AdvertiserID {
			ids = append(ids, m.AdvertiserID)
		}
	}
	if len(ids) == 0 {
		f.reason = ReasonNoAdvertiser
		return f, nil
	}
	advertisers, err := idset.Index(ctx, tx.Advertisers().GetMany, ids, func(a affiliate.Advertiser) int64 { return a.ID })
	if err != nil {
		return f, err
	}
	keptFrom, err := affiliate.AdvertisersBlocking(ctx, tx, user, ids)
	if err != nil {
		return f, err
	}
	f.reason = ReasonNoAdvertiser
	for _, id := range ids { // in the order of the match
		a, ok := advertisers[id]
		switch {
		case !ok || a.Status != affiliate.AdvertiserActive || c.GroupID != 0 && a.GroupID != c.GroupID:
		case keptFrom[id]:
			f.reason = ReasonBlocked
		case a.Hidden && !(c.IgnoreVisibility && s.viewer.ActsFor(id)):
			if f.reason == ReasonNoAdvertiser {
				f.reason = ReasonNotVisible
			}
		default:
			f.candidates = append(f.candidates, a)
		}
	}
	if len(f.candidates) > 0 {
		f.reason, f.unverified = ReasonNone, unverified
	}
	return f, nil
}

// linkID reads the id out of one of our own redirect URLs.
func (s *Service) linkID(u URL) (int64, bool) {
	rest, ours := strings.CutPrefix(u.String(), s.redirect)
	if !ours {
		return 0, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	id, err := strconv.ParseInt(rest, 10, 64)
	return id, err == nil && id > 0
}

// ownLink is the user's live link with the id; another user's is not told.
func ownLink(ctx context.Context, tx Tx, id, userID int64) (none affiliate.Optional[LinkView], err error) {
	l, err := tx.Links().Get(ctx, id)
	if err != nil || l.UserID != userID || !l.DeletedAt.IsZero() {
		return none, ignoreNotFound(err)
	}
	a, err := tx.Advertisers().Get(ctx, l.AdvertiserID)
	return affiliate.Some(LinkView{Link: l, Advertiser: a}), err
}

func ignoreNotFound(err error) error {
	if errors.Is(err, affiliate.ErrNotFound) {
		return nil
	}
	return err
}

// Link returns a link with its advertiser (affiliate-link-get). A deleted one
// is ErrNotFound.
func (s *Service) Link(ctx context.Context, id int64) (LinkView, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (LinkView, error) {
		l, err := tx.Links().Get(ctx, id)
		if err == nil && !l.DeletedAt.IsZero() {
			err = affiliate.NotFound("link", id)
		}
		if err != nil {
			return LinkView{}, err
		}
		if !s.viewer.ActsFor(l.AdvertiserID) {
			if _, err := affiliate.VisibleUser(ctx, tx, s.viewer, l.UserID); affiliate.IsNotFound(err) {
				return LinkView{}, affiliate.NotFound("link", id)
			} else if err != nil {
				return LinkView{}, err
			}
		}
		a, err := tx.Advertisers().Get(ctx, l.AdvertiserID)
		return LinkView{Link: l, Advertiser: a}, err
	})
}

// LinkList lists links.
func (s *Service) LinkList(ctx context.Context, f LinkFilter, p affiliate.PageRequest) (affiliate.Page[Link], error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Page[Link], error) {
		return tx.Links().List(ctx, f, p)
	})
}

// DeleteLink ends a link: it still redirects, nothing is earned. Doing it
// again changes nothing.
func (s *Service) DeleteLink(ctx context.Context, id int64) error {
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		l, err := tx.Links().Get(ctx, id)
		if err != nil {
			return err
		}
		if !s.viewer.ActsFor(l.AdvertiserID) {
			if _, err := affiliate.VisibleUser(ctx, tx, s.viewer, l.UserID); affiliate.IsNotFound(err) {
				return affiliate.NotFound("link", id)
			} else if err != nil {
				return err
			}
		}
		if !l.DeletedAt.IsZero() {
			return nil
		}
		l.DeletedAt = s.clock.Now()
		if err := tx.Links().Update(ctx, l); err != nil {
			return err
		}
		return tx.Events().Add(ctx, l.event(EventLinkDeleted, l.DeletedAt))
	})
}

// ShortURL returns the address of the link's redirect.
func (s *Service) ShortURL(linkID int64) string {
	return s.opts.PublicURL + "/c/" + strconv.FormatInt(linkID, 10)
}

// TrackingURL is where the link leads: its template filled in, but for the
// click id, which every click has its own of.
func (l Link) TrackingURL() string {
	return fillTemplate(l.Template, templateValues{TargetURL: l.TargetURL, LinkID: l.ID, UserID: l.UserID})
}
