package links_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestRulesOfAnAdvertiserAreBounded(t *testing.T) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{})
		had, err := w.links.Rules(t.Context(), w.acme.ID)
		is.NoErr(err)
		is.NoErr(b.Links.Write(t.Context(), func(ctx context.Context, tx links.Tx) error {
			for i := range links.MaxRules - len(had) - 1 {
				r := links.Rule{AdvertiserID: w.acme.ID, Type: links.RuleAllow, URL: fmt.Sprintf("a%d.test", i), CreatedAt: noon, UpdatedAt: noon}
				if _, err := tx.Rules().Add(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}))
		last, err := w.links.AddRule(t.Context(), w.acme.ID, links.RuleInput{Type: links.RuleAllow, URL: "last.test"})
		is.NoErr(err)
		more := links.RuleInput{Type: links.RuleAllow, URL: "more.test"}
		_, err = w.links.AddRule(t.Context(), w.acme.ID, more)
		is.Equal(codeOf(err), "validation_failed")
		_, err = w.links.UpdateRule(t.Context(), w.acme.ID, last.ID, more) // changes are no more rules
		is.NoErr(err)
		is.NoErr(w.links.DeleteRule(t.Context(), w.acme.ID, last.ID))
		_, err = w.links.AddRule(t.Context(), w.acme.ID, more)
		is.NoErr(err)
	})
}
