package links_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// published is what the owners of domains have published: texts by host.
type published struct {
	mu    sync.Mutex
	texts map[string]string
	asked int
	err   error                           // of every look-up, when set
	look  func(p links.DomainProof) error // instead, when set
}

func (p *published) set(proof links.DomainProof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.texts == nil {
		p.texts = map[string]string{}
	}
	p.texts[proof.Host] = proof.Text()
}

func (p *published) VerifyDomain(_ context.Context, proof links.DomainProof) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	switch {
	case p.look != nil:
		return p.look(proof)
	case p.err != nil:
		return p.err
	case p.texts[proof.Host] != proof.Text():
		return fmt.Errorf("nothing at %s: %w", proof.DNSName(), links.ErrNoProof)
	}
	return nil
}

// selfService registers a store as anybody does, and returns it with its
// representative's view of the service.
func (w *world) selfService(name string, domains ...string) (affiliate.Advertiser, *links.Service) {
	w.t.Helper()
	a, err := w.links.For(affiliate.ViewerOf(affiliate.Principal{})).RegisterAdvertiser(w.t.Context(),
		links.Registration{Advertiser: affiliate.Advertiser{Name: name, Country: "SE", Currency: "SEK"}, Domains: domains})
	w.must(err)
	return a, w.links.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleRepresentative, Subject: name, AdvertiserIDs: []int64{a.ID}}))
}

func (w *world) onlyRule(a affiliate.Advertiser) links.Rule {
	w.t.Helper()
	rules, err := w.links.Rules(w.t.Context(), a.ID)
	w.must(err)
	if len(rules) != 1 {
		w.t.Fatalf("%s has %d rules, want 1", a.Name, len(rules))
	}
	return rules[0]
}

// events are all that happened, in order.
func (w *world) events() []affiliate.Event {
	w.t.Helper()
	list, err := affiliate.Read(w.t.Context(), w.b.Core, func(ctx context.Context, tx affiliate.Tx) ([]affiliate.Event, error) {
		return tx.Events().Scan(ctx, 0, 1000)
	})
	w.must(err)
	return list
}

// whose returns whom a creator may convert a URL with, with a mark for unverified ones.
func (w *world) whose(url string) string {
	w.t.Helper()
	i, err := w.links.Inspect(w.t.Context(), links.Conversion{UserID: w.anna.ID, URL: url})
	w.must(err)
	var names []string
	for _, a := range i.Advertisers {
		names = append(names, a.Name)
	}
	if i.Unverified {
		names = append(names, "unverified")
	}
	return strings.Join(names, " ")
}

func TestAnUnverifiedRuleNeverWinsOverAVerifiedOne(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		thief, _ := w.selfService("thief", "corner.test/sale/shoes", "corner.test", "www.corner.test") // older and more specific
		is.Equal(w.whose("https://www.corner.test/sale/shoes/1"), "thief unverified")                  // as long as it is nobody's
		stolen := w.convert(w.anna, "https://corner.test/sale/shoes/1")

		corner := w.advertiser("corner", "corner.test")
		for _, url := range []string{"https://www.corner.test/sale/shoes/1", "https://corner.test/sale/shoes", "https://corner.test/"} {
			is.Equal(w.whose(url), "corner")
			is.Equal(w.convert(w.anna, url).AdvertiserID, corner.ID)
			_, _, err := w.links.Convert(t.Context(), links.Conversion{UserID: w.anna.ID, URL: url, AdvertiserID: thief.ID})
			is.Equal(codeOf(err), string(links.ReasonNoAdvertiser)) // not even when it is named
		}
		claims, err := w.links.MatchingRules(t.Context(), "https://www.corner.test/sale/shoes/1")
		is.NoErr(err)
		is.Equal(len(claims), 2) // the operator sees both
		is.Equal([]int64{claims[0].AdvertiserID, claims[1].AdvertiserID}, []int64{corner.ID, thief.ID})
		is.True(claims[0].Verified() && !claims[1].Verified())

		// What the owner blocks is nobody else's, nor is it while the owner is away.
		w.rule(corner, links.RuleBlock, "corner.test/private", "")
		is.Equal(w.whose("https://corner.test/private"), "")
		_, err = w.core.DeactivateAdvertiser(t.Context(), corner.ID)
		is.NoErr(err)
		is.Equal(w.whose("https://corner.test/sale/shoes/1"), "")
		is.Equal(w.click(stolen, 1).Verdict, links.VerdictValid) // links that were there stay
	})
}

func TestTwoUnverifiedStoresShareAURLUntilOneProvesItsDomain(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		dns := &published{}
		w := newWorld(t, b, links.Options{DomainVerifiers: []links.DomainVerifier{&published{err: errors.New("no route")}, dns}})
		thief, itsOwn := w.selfService("thief", "corner.test")
		corner, own := w.selfService("corner", "corner.test")
		is.Equal(w.whose("https://corner.test/"), "thief corner unverified")

		rule := w.onlyRule(corner)
		_, err := own.VerifyRule(t.Context(), corner.ID, rule.ID)
		is.True(errors.Is(err, affiliate.ErrState))
		is.Equal(codeOf(err), "domain_not_proven")
		proof, needed := rule.Proof()
		is.True(needed)
		for _, place := range []string{proof.DNSName(), proof.FileURL(), proof.Text()} {
			is.True(strings.Contains(err.Error(), place)) // says what is to be done
		}
		is.Equal(w.whose("https://corner.test/"), "thief corner unverified")

		dns.set(proof)
		w.clock.Advance(time.Minute)
		verified, err := own.VerifyRule(t.Context(), corner.ID, rule.ID)
		is.NoErr(err)
		is.True(verified.Verified())
		is.Equal(verified.UpdatedAt, noon.Add(time.Minute))
		is.Equal(w.onlyRule(corner), verified)
		is.Equal(w.whose("https://corner.test/"), "corner")

		_, err = itsOwn.VerifyRule(t.Context(), thief.ID, w.onlyRule(thief).ID) // the text is another's
		is.Equal(codeOf(err), "domain_not_proven")
		asked := dns.asked
		again, err := own.VerifyRule(t.Context(), corner.ID, rule.ID)
		is.NoErr(err)
		is.Equal(again, verified)
		is.Equal(dns.asked, asked) // there is nothing to look for

		kinds := map[string]int{}
		for _, e := range w.events() {
			if e.Object.Type == "url_matching_rule" && e.AdvertiserID == corner.ID {
				kinds[e.Kind]++
			}
		}
		is.Equal(kinds, map[string]int{"url_matching_rule.created": 1, "url_matching_rule.verified": 1})
	})
}

func TestAProofCoversWhatTheRuleCovers(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		dns := &published{}
		w := newWorld(t, b, links.Options{DomainVerifiers: []links.DomainVerifier{dns}})
		mall, own := w.selfService("mall", "mall.test/shop", "mall.test/shop/sale", "www.mall.test/shop/1", "mall.test", "mall.test/shops", "other.test/shop")
		rules, err := w.links.Rules(t.Context(), mall.ID)
		is.NoErr(err)
		proof, _ := rules[0].Proof()
		dns.set(proof)
		_, err = own.VerifyRule(t.Context(), mall.ID, rules[0].ID)
		is.NoErr(err)
		rules, err = w.links.Rules(t.Context(), mall.ID)
		is.NoErr(err)
		var unverified []string
		for _, r := range rules {
			if !r.Verified() {
				unverified = append(unverified, r.URL)
			}
		}
		is.Equal(unverified, []string{"mall.test", "mall.test/shops", "other.test/shop"})
		for url, want := range map[string]bool{"mall.test/shop/new": true, "a.mall.test/shop": true, "mall.test/new": false, "amall.test/shop": false} {
			r, err := own.AddRule(t.Context(), mall.ID, links.RuleInput{Type: links.RuleAllow, URL: url})
			is.NoErr(err)
			if r.Verified() != want {
				t.Errorf("a further rule %s: verified %v, want %v", url, r.Verified(), want)
			}
		}
	})
}

func TestWhoAddsOrChangesARuleDecidesWhetherItIsVerified(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		own := w.links.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleRepresentative, Subject: "r", AdvertiserIDs: []int64{w.acme.ID}}))
		add := func(s *links.Service, in links.RuleInput) links.Rule {
			r, err := s.AddRule(t.Context(), w.acme.ID, in)
			is.NoErr(err)
			return r
		}
		change := func(s *links.Service, r links.Rule, change func(*links.RuleInput)) links.Rule {
			r, err := s.ChangeRule(t.Context(), w.acme.ID, r.ID, change)
			is.NoErr(err)
			return r
		}
		url := func(u string) func(*links.RuleInput) { return func(r *links.RuleInput) { r.URL = u } }
		main := w.onlyRule(w.acme)
		is.True(main.Verified()) // the operator registered it
		is.True(add(w.links, links.RuleInput{Type: links.RuleAllow, URL: "operator.test"}).Verified())
		is.True(add(own, links.RuleInput{Type: links.RuleBlock, URL: "blocked.test"}).Verified())
		foreign := add(own, links.RuleInput{Type: links.RuleAllow, URL: "foreign.test/a"})
		is.True(!foreign.Verified())

		// The same domain keeps its challenge, which may be published; another one gets a new one.
		is.Equal(change(own, foreign, url("foreign.test/b")).Challenge, foreign.Challenge)
		is.Equal(change(w.links, foreign, url("foreign.test/c")).Challenge, foreign.Challenge) // nor does the operator vouch by that
		moved := change(own, foreign, url("elsewhere.test"))
		is.True(!moved.Verified() && moved.Challenge != foreign.Challenge)
		is.True(change(w.links, moved, url("chosen.test")).Verified()) // the operator's own choice
		is.True(!change(own, moved, url("foreign.test")).Verified())
		blocking := change(own, moved, func(r *links.RuleInput) { r.Type = links.RuleBlock })
		is.True(blocking.Verified())
		is.True(!change(own, blocking, func(r *links.RuleInput) { r.Type = links.RuleAllow }).Verified())

		// A verified rule stays so while it gets narrower.
		is.True(change(own, main, url("www.acme.example/sale")).Verified())
		is.True(!change(own, main, url("acme.example/sale")).Verified())

		// The domains of a store are replaced alike.
		_, err := own.UpdateShop(t.Context(), w.acme.ID, links.ShopChange{Domains: []string{"operator.test/shop", "new.test"}})
		is.NoErr(err)
		rules, err := w.links.Rules(t.Context(), w.acme.ID)
		is.NoErr(err)
		got := map[string]bool{}
		for _, r := range rules {
			got[r.URL] = r.Verified()
		}
		is.Equal(got, map[string]bool{"operator.test/shop": true, "new.test": false, "blocked.test": true})
	})
}

func TestTheOperatorConfirmsADomain(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		corner, own := w.selfService("corner", "corner.test")
		rule := w.onlyRule(corner)
		_, err := own.ConfirmRule(t.Context(), corner.ID, rule.ID)
		is.True(errors.Is(err, affiliate.ErrForbidden))
		_, err = w.links.ConfirmRule(t.Context(), w.acme.ID, rule.ID) // another advertiser's
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = w.links.VerifyRule(t.Context(), corner.ID, rule.ID)
		is.Equal(codeOf(err), "no_domain_verifier")
		confirmed, err := w.links.ConfirmRule(t.Context(), corner.ID, rule.ID)
		is.NoErr(err)
		is.True(confirmed.Verified())
		is.Equal(w.whose("https://corner.test/"), "corner")
	})
}

func TestOnlyThoseWhoActForTheAdvertiserHaveARuleLookedAt(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		dns := &published{}
		w := newWorld(t, b, links.Options{DomainVerifiers: []links.DomainVerifier{dns}})
		corner, own := w.selfService("corner", "corner.test")
		rule := w.onlyRule(corner)
		thief, itsOwn := w.selfService("thief", "thief.test")
		creator := w.links.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, Subject: "anna", UserID: w.anna.ID}))
		for _, ask := range []func() (links.Rule, error){
			func() (links.Rule, error) { return itsOwn.VerifyRule(t.Context(), corner.ID, rule.ID) },
			func() (links.Rule, error) { return itsOwn.VerifyRule(t.Context(), thief.ID, rule.ID) },
			func() (links.Rule, error) { return creator.VerifyRule(t.Context(), corner.ID, rule.ID) },
			func() (links.Rule, error) { return own.VerifyRule(t.Context(), corner.ID, 999999) },
		} {
			_, err := ask()
			is.True(errors.Is(err, affiliate.ErrNotFound))
		}
		is.Equal(dns.asked, 0)
	})
}

func TestALookUpHoldsNoUnitAndLosesToAChange(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		dns := &published{}
		w := newWorld(t, b, links.Options{DomainVerifiers: []links.DomainVerifier{dns}})
		corner, own := w.selfService("corner", "corner.test")
		rule := w.onlyRule(corner)
		dns.look = func(links.DomainProof) error { // a unit of another one goes on meanwhile
			_, err := own.UpdateRule(t.Context(), corner.ID, rule.ID, links.RuleInput{Type: links.RuleAllow, URL: "stolen.test", IsMain: true})
			return err
		}
		_, err := own.VerifyRule(t.Context(), corner.ID, rule.ID)
		is.Equal(codeOf(err), "rule_changed")
		is.True(!w.onlyRule(corner).Verified())

		asked := dns.asked
		err = b.Links.Write(t.Context(), func(ctx context.Context, _ links.Tx) error {
			_, err := own.VerifyRule(ctx, corner.ID, rule.ID)
			return err
		})
		is.True(errors.Is(err, affiliate.ErrNested))
		is.Equal(dns.asked, asked)
	})
}

func TestALookUpThatFailsSaysSo(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		cause := errors.New("no route to host")
		w := newWorld(t, b, links.Options{DomainVerifiers: []links.DomainVerifier{&published{err: cause}}})
		corner, own := w.selfService("corner", "corner.test")
		_, err := own.VerifyRule(t.Context(), corner.ID, w.onlyRule(corner).ID)
		is.True(errors.Is(err, affiliate.ErrUnavailable) && errors.Is(err, cause))
		is.Equal(codeOf(err), "domain_unreachable")
	})
}

func TestALookUpEndsWithItsContext(t *testing.T) {
	is := is.New(t)
	gone, cancel := context.WithCancel(t.Context())
	first := &published{look: func(links.DomainProof) error { cancel(); return links.ErrNoProof }}
	second := &published{}
	w := newWorld(t, backends.Memory(), links.Options{DomainVerifiers: []links.DomainVerifier{first, second}})
	corner, own := w.selfService("corner", "corner.test")
	_, err := own.VerifyRule(gone, corner.ID, w.onlyRule(corner).ID)
	is.True(errors.Is(err, context.Canceled))
	is.Equal(second.asked, 0)
}

func TestManyProofsAtOnceAreOne(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		dns := &published{look: func(links.DomainProof) error { return nil }}
		w := newWorld(t, b, links.Options{DomainVerifiers: []links.DomainVerifier{dns}})
		corner, own := w.selfService("corner", "corner.test")
		rule := w.onlyRule(corner)
		errs := make([]error, 8)
		var looking sync.WaitGroup
		for i := range errs {
			looking.Go(func() { _, errs[i] = own.VerifyRule(t.Context(), corner.ID, rule.ID) })
		}
		looking.Wait()
		is.NoErr(errors.Join(errs...))
		told := slices.DeleteFunc(w.events(), func(e affiliate.Event) bool { return e.Kind != links.EventRuleVerified.Name })
		is.Equal(len(told), 1)
	})
}
