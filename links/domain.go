package links

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// DomainProof is what shows that somebody controls a host: a text in a TXT record
// or in a file of the host.
type DomainProof struct {
	Host      string // as in Rule.Host
	Challenge string // that of the rule
}

// proofFile is where on its host the file of a proof is.
const proofFile = "/.well-known/affiliatekit-verification.txt"

// DNSName is the name of the TXT record, without a trailing dot.
func (p DomainProof) DNSName() string { return "_affiliatekit." + p.Host }

// Path is the path of the file on the host.
func (DomainProof) Path() string { return proofFile }

// FileURL is the address of the file.
func (p DomainProof) FileURL() string { return "https://" + p.Host + proofFile }

// Text is what the record has, or a line of the file.
func (p DomainProof) Text() string { return "affiliatekit-verification=" + p.Challenge }

// ErrNoProof is the error of a place that was reached and has no proof.
var ErrNoProof = errors.New("links: the proof of the domain is not there")

// DomainVerifier looks for the proof of a domain in one kind of place. Package
// links/verification has one for TXT records and one for files.
type DomainVerifier interface {
	// VerifyDomain returns nil when the proof is there, ErrNoProof (wrapped or not)
	// when its place was reached and it is not there, and another error when the
	// place could not be reached. It must bound its own time, and it is never
	// called inside a unit of work.
	VerifyDomain(ctx context.Context, p DomainProof) error
}

// MaxChallenge bounds a rule's challenge, in characters.
const MaxChallenge = 64

// Verified reports whether the rule counts as much as any: it blocks, its domain
// was proven, or the operator registered it or vouched for it.
func (r Rule) Verified() bool { return r.Challenge == "" }

// Host is the host of the rule's URL.
func (r Rule) Host() string {
	host, _, _, _ := splitRuleURL(r.URL)
	return host
}

// Proof is what would verify the rule's domain. A verified rule has none.
func (r Rule) Proof() (DomainProof, bool) {
	return DomainProof{Host: r.Host(), Challenge: r.Challenge}, !r.Verified()
}

// covers reports whether every URL of the other rule is one of this allow rule.
func (r Rule) covers(other Rule) bool {
	if r.Type != RuleAllow || r.Keyword != "" && !strings.EqualFold(r.Keyword, other.Keyword) {
		return false
	}
	host, path, _, _ := splitRuleURL(r.URL)
	otherHost, otherPath, _, _ := splitRuleURL(other.URL)
	return (host == otherHost || strings.HasSuffix(otherHost, "."+host)) && (path == otherPath || strings.HasPrefix(otherPath, path+"/"))
}

// newChallenge returns the challenge of rules that the viewer makes: none for the
// operator, whose registrations count as verified.
func (s *Service) newChallenge() (string, error) {
	if s.viewer.IsOperator() {
		return "", nil
	}
	var secret [20]byte
	if _, err := io.ReadFull(s.opts.Random, secret[:]); err != nil {
		return "", affiliate.Unavailable(err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(secret[:])), nil
}

// challenged returns the rule with the challenge, or without one where it needs
// none: a block rule takes nothing from others, and what a verified rule of the
// advertiser covers is proven.
func challenged(r Rule, challenge string, ofAdvertiser []Rule) Rule {
	r.Challenge = ""
	if r.Type == RuleBlock {
		return r
	}
	for _, other := range ofAdvertiser {
		if other.Verified() && other.covers(r) {
			return r
		}
	}
	r.Challenge = challenge
	return r
}

// VerifyRule looks for the proof of an unverified rule's domain with the verifiers
// of Options.DomainVerifiers, one after the other, until one finds it. From then on
// the rule is verified, and so are the advertiser's other rules that it covers. A
// verified rule is returned as it is.
//
// It is ErrState "domain_not_proven" when the proof is not there, with where it has
// to be; ErrUnavailable "domain_unreachable" when no place could be reached, and
// "no_domain_verifier" without verifiers; ErrConflict "rule_changed" when the rule
// got another domain meanwhile; ErrNotFound for whoever does not act for the
// advertiser. It asks other machines, so that inside a unit of work, or in a
// transaction of the host's, it is affiliate.ErrNested.
func (s *Service) VerifyRule(ctx context.Context, advertiserID, ruleID int64) (Rule, error) {
	if s.hosted || s.store.Nested(ctx) {
		return Rule{}, affiliate.ErrNested
	}
	before, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Rule, error) {
		return s.ruleOf(ctx, tx, advertiserID, ruleID)
	})
	if err != nil {
		return Rule{}, err
	}
	proof, needed := before.Proof()
	if !needed {
		return before, nil
	}
	if err := s.lookFor(ctx, proof); err != nil {
		return Rule{}, err
	}
	return s.changeRules(ctx, func(ctx context.Context, tx Tx) (Rule, error) {
		r, err := s.ruleOf(ctx, tx, advertiserID, ruleID)
		if err != nil {
			return Rule{}, err
		}
		now, needed := r.Proof()
		if needed && now != proof {
			return Rule{}, affiliate.Conflict("url_matching_rule", "rule_changed", "The rule got another domain while the proof was looked up: try again.")
		}
		return s.verifyRule(ctx, tx, r)
	})
}

// ConfirmRule makes a rule verified without a proof: the operator knows whose the
// domain is. It is ErrForbidden for everybody else.
func (s *Service) ConfirmRule(ctx context.Context, advertiserID, ruleID int64) (Rule, error) {
	if !s.viewer.IsOperator() {
		return Rule{}, affiliate.Forbidden("Only the operator may confirm a domain.")
	}
	return s.changeRules(ctx, func(ctx context.Context, tx Tx) (Rule, error) {
		r, err := s.ruleOf(ctx, tx, advertiserID, ruleID)
		if err != nil {
			return Rule{}, err
		}
		return s.verifyRule(ctx, tx, r)
	})
}

// lookFor asks the verifiers for a proof.
func (s *Service) lookFor(ctx context.Context, p DomainProof) error {
	if len(s.opts.DomainVerifiers) == 0 {
		return &affiliate.Error{Kind: affiliate.ErrUnavailable, Code: "no_domain_verifier", Resource: "url_matching_rule",
			Message: "Domains are not looked up here: ask the operator to confirm the rule."}
	}
	var causes []error
	for _, v := range s.opts.DomainVerifiers {
		err := v.VerifyDomain(ctx, p)
		if err == nil {
			return nil
		}
		causes = append(causes, err)
		if ctx.Err() != nil {
			return affiliate.Unavailable(ctx.Err())
		}
	}
	cause := errors.Join(causes...)
	if !errors.Is(cause, ErrNoProof) {
		return &affiliate.Error{Kind: affiliate.ErrUnavailable, Code: "domain_unreachable", Resource: "url_matching_rule",
			Message: fmt.Sprintf("Neither the DNS nor the web server of %s could be asked: try again later.", p.Host), Err: cause}
	}
	return &affiliate.Error{Kind: affiliate.ErrState, Code: "domain_not_proven", Resource: "url_matching_rule",
		Message: fmt.Sprintf("The proof is not there yet: set a TXT record %s, or a line of the file %s, to %s and try again.", p.DNSName(), p.FileURL(), p.Text()), Err: cause}
}

// verifyRule makes an unverified rule verified, and the advertiser's others that it covers.
func (s *Service) verifyRule(ctx context.Context, tx Tx, r Rule) (Rule, error) {
	if r.Verified() {
		return r, nil
	}
	all, err := tx.Rules().ByAdvertisers(ctx, []int64{r.AdvertiserID})
	if err != nil {
		return Rule{}, err
	}
	proven, now := r, s.clock.Now()
	for _, other := range all {
		if other.Verified() || other.ID != r.ID && !r.covers(other) {
			continue
		}
		other.Challenge, other.UpdatedAt = "", now
		if err := tx.Rules().Update(ctx, other); err != nil {
			return Rule{}, err
		}
		if err := tx.Events().Add(ctx, other.event(EventRuleVerified, now)); err != nil {
			return Rule{}, err
		}
		if other.ID == r.ID {
			proven = other
		}
	}
	return proven, nil
}
