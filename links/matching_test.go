package links_test

import (
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestMatchingRulesSaysWhoseAURLIs(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		mall := w.advertiser("mall", "mall.example")
		w.rule(mall, links.RuleAllow, "acme.example/corner", "")
		matching := func(url string) []links.Rule {
			rules, err := w.links.MatchingRules(t.Context(), url)
			is.NoErr(err)
			return rules
		}
		rules := matching("https://acme.example/corner/1")
		is.Equal(len(rules), 2)
		is.Equal(rules[0].AdvertiserID, mall.ID) // the longer path first
		is.Equal(rules[0].URL, "acme.example/corner")
		is.Equal(rules[1].AdvertiserID, w.acme.ID)
		w.rule(w.acme, links.RuleBlock, "acme.example/corner", "")
		is.Equal(len(matching("https://acme.example/corner/1")), 1)
		is.Equal(len(matching("https://nobody.example/")), 0)
		_, err := w.links.MatchingRules(t.Context(), "no url")
		is.True(errors.Is(err, affiliate.ErrInvalid))
		creator := affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleCreator, Subject: "1", UserID: w.anna.ID})
		_, err = w.links.For(creator).MatchingRules(t.Context(), "https://acme.example/")
		is.True(errors.Is(err, affiliate.ErrForbidden))
	})
}
