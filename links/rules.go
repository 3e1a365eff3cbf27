package links

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

// RuleInput is what a caller says about a URL matching rule.
type RuleInput struct {
	Type    RuleType
	URL     string // as ParseRuleURL takes it
	Keyword string
	IsMain  bool // ignored for a block rule: the contract's example sets it there
}

// rule is the input in the form that is kept.
func (in RuleInput) rule() (Rule, error) {
	r := Rule{Type: in.Type, URL: in.URL, Keyword: strings.TrimSpace(in.Keyword), IsMain: in.IsMain && in.Type != RuleBlock}
	if host, path, err := ParseRuleURL(in.URL); err == nil {
		r.URL = host + path
	}
	return r, r.Validate()
}

// Rules returns the advertiser's rules by id (url-matching-rules-list).
func (s *Service) Rules(ctx context.Context, advertiserID int64) ([]Rule, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Rule, error) {
		if err := s.actsFor(ctx, tx, advertiserID); err != nil {
			return nil, err
		}
		return tx.Rules().ByAdvertisers(ctx, []int64{advertiserID})
	})
}

// MatchingRules returns, of each advertiser that says that a URL is its own, the
// allow rule that says so: verified rules first, then the most specific first.
// Unverified ones (see Rule.Verified) decide nothing where a verified one is among
// them, or where a verified rule of an advertiser that blocks the URL matches. A
// URL of nobody has none. It is ErrInvalid "invalid_url" for a text that is no
// shop URL, and ErrForbidden for everybody but the operator.
func (s *Service) MatchingRules(ctx context.Context, rawURL string) ([]Rule, error) {
	if !s.viewer.IsOperator() {
		return nil, affiliate.Forbidden("Only the operator may ask whose a URL is.")
	}
	u, err := Normalize(rawURL)
	if err != nil {
		return nil, err
	}
	matcher, err := s.rules.matcher(ctx)
	if err != nil {
		return nil, err
	}
	matches := matcher.Claims(u.without([]string{s.opts.ClickParameter}), nil)
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Rule, error) {
		rules := make([]Rule, 0, len(matches))
		for _, m := range matches { // few: advertisers that share a URL
			r, err := tx.Rules().Get(ctx, m.RuleID)
			if errors.Is(err, affiliate.ErrNotFound) {
				continue // another process has just deleted it
			}
			if err != nil {
				return nil, err
			}
			rules = append(rules, r)
		}
		return rules, nil
	})
}

// actsFor checks that the viewer acts for the advertiser, and that it is there.
func (s *Service) actsFor(ctx context.Context, tx Tx, advertiserID int64) error {
	if !s.viewer.ActsFor(advertiserID) {
		return affiliate.NotFound("advertiser", advertiserID)
	}
	_, err := tx.Advertisers().Get(ctx, advertiserID)
	return err
}

// AddRule adds a rule to an advertiser (url-matching-rule-add). A main rule
// takes that place from the one that had it. A rule that the advertiser has
// already, alike in type, URL and keyword, is ErrConflict. Unless the operator
// adds it, or a verified rule of the advertiser covers it, an allow rule is
// unverified: see VerifyRule.
func (s *Service) AddRule(ctx context.Context, advertiserID int64, in RuleInput) (Rule, error) {
	r, err := in.rule()
	if err != nil {
		return Rule{}, err
	}
	if r.Challenge, err = s.newChallenge(); err != nil {
		return Rule{}, err
	}
	return s.changeRules(ctx, func(ctx context.Context, tx Tx) (Rule, error) {
		if err := s.actsFor(ctx, tx, advertiserID); err != nil {
			return Rule{}, err
		}
		r := r
		r.AdvertiserID = advertiserID
		return addRule(ctx, tx, s.clock, r)
	})
}

// UpdateRule replaces a rule (url-matching-rule-update). The main rule stays
// it until another one is made the main rule. A rule that gets another domain is
// verified as a new one would be.
func (s *Service) UpdateRule(ctx context.Context, advertiserID, ruleID int64, in RuleInput) (Rule, error) {
	return s.ChangeRule(ctx, advertiserID, ruleID, func(r *RuleInput) { *r = in })
}

// ChangeRule is UpdateRule for a part of the rule: change gets the rule as it
// is now, and may run again.
func (s *Service) ChangeRule(ctx context.Context, advertiserID, ruleID int64, change func(*RuleInput)) (Rule, error) {
	challenge, err := s.newChallenge()
	if err != nil {
		return Rule{}, err
	}
	return s.changeRules(ctx, func(ctx context.Context, tx Tx) (Rule, error) {
		old, err := s.ruleOf(ctx, tx, advertiserID, ruleID)
		if err != nil {
			return Rule{}, err
		}
		in := RuleInput{Type: old.Type, URL: old.URL, Keyword: old.Keyword, IsMain: old.IsMain}
		change(&in)
		r, err := in.rule()
		if err != nil {
			return Rule{}, err
		}
		if old.IsMain && !r.IsMain {
			return Rule{}, affiliate.Conflict("url_matching_rule", "main_rule", "This is the main rule. Make another rule the main one first.")
		}
		r.ID, r.AdvertiserID, r.CreatedAt, r.UpdatedAt = old.ID, advertiserID, old.CreatedAt, s.clock.Now()
		if !old.Verified() && old.Host() == r.Host() {
			return replaceRule(ctx, tx, r, old.Challenge) // which may be published already
		}
		return replaceRule(ctx, tx, r, challenge)
	})
}

// DeleteRule removes a rule (url-matching-rule-remove). The main rule is
// ErrConflict while there are others.
func (s *Service) DeleteRule(ctx context.Context, advertiserID, ruleID int64) error {
	_, err := s.changeRules(ctx, func(ctx context.Context, tx Tx) (Rule, error) {
		r, err := s.ruleOf(ctx, tx, advertiserID, ruleID)
		if err != nil {
			return r, err
		}
		if r.IsMain {
			all, err := tx.Rules().ByAdvertisers(ctx, []int64{advertiserID})
			if err != nil {
				return r, err
			}
			if len(all) > 1 {
				return r, affiliate.Conflict("url_matching_rule", "main_rule", "The main rule cannot be deleted while others exist.")
			}
		}
		return r, deleteRule(ctx, tx, s.clock.Now(), r)
	})
	return err
}

// changeRules runs a unit that changes rules and, when it is kept, lets this
// process match by them at once.
func (s *Service) changeRules(ctx context.Context, fn func(context.Context, Tx) (Rule, error)) (Rule, error) {
	r, err := affiliate.Write(ctx, s.units(), fn)
	if err == nil {
		affiliate.AfterCommit(ctx, s.rules.outdated)
	}
	return r, err
}

func (s *Service) ruleOf(ctx context.Context, tx Tx, advertiserID, ruleID int64) (Rule, error) {
	r, err := tx.Rules().Get(ctx, ruleID)
	if err == nil && (r.AdvertiserID != advertiserID || !s.viewer.ActsFor(advertiserID)) {
		return Rule{}, affiliate.NotFound("url_matching_rule", ruleID)
	}
	return r, err
}

// replaceRule keeps a rule that was changed, with the challenge where it needs one.
func replaceRule(ctx context.Context, tx Tx, r Rule, challenge string) (Rule, error) {
	others, err := makeRoom(ctx, tx, r)
	if err != nil {
		return Rule{}, err
	}
	r = challenged(r, challenge, others)
	return r, saveRule(ctx, tx, r)
}

// addRule adds a rule. Its challenge stays where the rule needs one.
func addRule(ctx context.Context, tx Tx, clock affiliate.Clock, r Rule) (Rule, error) {
	r.CreatedAt = clock.Now()
	r.UpdatedAt = r.CreatedAt
	others, err := makeRoom(ctx, tx, r) // which dates what it changes by r
	if err != nil {
		return Rule{}, err
	}
	r, err = tx.Rules().Add(ctx, challenged(r, r.Challenge, others))
	if err != nil {
		return r, err
	}
	return r, tx.Events().Add(ctx, r.event(EventRuleCreated, r.CreatedAt))
}

// saveRule keeps a changed rule with its event.
func saveRule(ctx context.Context, tx Tx, r Rule) error {
	if err := tx.Rules().Update(ctx, r); err != nil {
		return err
	}
	return tx.Events().Add(ctx, r.event(EventRuleUpdated, r.UpdatedAt))
}

// deleteRule removes a rule with its event.
func deleteRule(ctx context.Context, tx Tx, now time.Time, r Rule) error {
	if err := tx.Rules().Delete(ctx, r.ID); err != nil {
		return err
	}
	return tx.Events().Add(ctx, r.event(EventRuleDeleted, now))
}

// MaxRules bounds the rules of one advertiser.
const MaxRules = 2000

// makeRoom refuses a rule beyond MaxRules and one that another one of the advertiser already says, and
// takes the main place from the rule that has it when r is to have it. It returns the rules of the
// advertiser as they were before.
func makeRoom(ctx context.Context, tx Tx, r Rule) ([]Rule, error) {
	all, err := tx.Rules().ByAdvertisers(ctx, []int64{r.AdvertiserID})
	if err != nil {
		return nil, err
	}
	if r.ID == 0 && len(all) >= MaxRules {
		return nil, affiliate.Invalid("url_matching_rule", affiliate.FieldError{Field: "url", Code: "too_many", Message: "must not be one of more than 2000 rules of the advertiser"})
	}
	for _, other := range all {
		if other.ID != r.ID && other.Type == r.Type && other.URL == r.URL && strings.EqualFold(other.Keyword, r.Keyword) {
			return nil, &affiliate.Error{Kind: affiliate.ErrConflict, Code: "taken", Resource: "url_matching_rule", Message: "The advertiser has this rule already.",
				Fields: []affiliate.FieldError{{Field: "url", Code: "taken", Message: "is taken by another rule of the advertiser"}}}
		}
	}
	for _, other := range all {
		if r.IsMain && other.IsMain && other.ID != r.ID {
			other.IsMain, other.UpdatedAt = false, r.UpdatedAt
			if err := saveRule(ctx, tx, other); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// Registration is a registration of an advertiser and the domains that are its
// own. The first domain becomes the main rule. The domains are verified when the
// operator registers them; those of a self-service store are not: see VerifyRule.
type Registration struct {
	Advertiser affiliate.Advertiser
	Domains    []string     // 1..100, each as ParseRuleURL takes it
	Owner      identity.Own // who may act for it; nil: nobody yet
	// Sign makes Owner once the registration was found valid, and before its
	// unit, so that it may ask other services. Nil: Owner is used as it is.
	Sign func(ctx context.Context) (identity.Own, error)
}

// Validate checks what can be known before the unit.
func (in Registration) Validate() error {
	var v affiliate.Validation
	a := in.Advertiser.WithDefaults()
	v.Merge("", a.Validate())
	v.Merge("", validateTemplate(a.TrackingTemplate))
	_, err := in.rules()
	v.Merge("", err)
	return v.Err("advertiser")
}

// MaxDomains bounds the domains of one registration.
const MaxDomains = 100

// RegisterAdvertiser registers an advertiser with its rules in one unit
// (self-service-store-create, store-register).
func (s *Service) RegisterAdvertiser(ctx context.Context, in Registration) (affiliate.Advertiser, error) {
	if err := in.Validate(); err != nil {
		return affiliate.Advertiser{}, err
	}
	rules, err := in.rules()
	if err != nil {
		return affiliate.Advertiser{}, err
	}
	challenge, err := s.newChallenge()
	if err != nil {
		return affiliate.Advertiser{}, err
	}
	if in.Sign != nil {
		if in.Owner, err = in.Sign(ctx); err != nil {
			return affiliate.Advertiser{}, err
		}
	}
	a, err := affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (affiliate.Advertiser, error) {
		a, err := affiliate.AddAdvertiser(ctx, tx, s.clock.Now(), in.Advertiser)
		if err != nil {
			return a, err
		}
		for _, r := range rules {
			r.AdvertiserID, r.Challenge = a.ID, challenge
			if _, err := addRule(ctx, tx, s.clock, r); err != nil {
				return a, err
			}
		}
		if in.Owner != nil {
			return a, in.Owner(ctx, tx, a.ID)
		}
		return a, nil
	})
	if err == nil {
		affiliate.AfterCommit(ctx, s.rules.outdated)
	}
	return a, err
}

func (in Registration) rules() ([]Rule, error) {
	var v affiliate.Validation
	v.Check(len(in.Domains) > 0, "domains", "required", "is required")
	v.Check(len(in.Domains) <= MaxDomains, "domains", "too_many", "must not have more than 100 items")
	if err := v.Err("advertiser"); err != nil {
		return nil, err
	}
	rules := make([]Rule, 0, len(in.Domains))
	for i, domain := range in.Domains {
		r, err := RuleInput{Type: RuleAllow, URL: domain, IsMain: i == 0}.rule()
		if err == nil && slices.ContainsFunc(rules, func(other Rule) bool { return other.URL == r.URL }) {
			continue // named twice
		}
		if e, ok := err.(*affiliate.Error); ok && len(e.Fields) > 0 {
			v.Add("domains."+strconv.Itoa(i), e.Fields[0].Code, e.Fields[0].Message)
		}
		rules = append(rules, r)
	}
	return rules, v.Err("advertiser")
}
