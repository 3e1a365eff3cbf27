package links_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestRulesOfAJoinAreSeenInItAndForgottenWhenItFails(t *testing.T) {
	t.Parallel()
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		w := newWorld(t, b, links.Options{RuleRefresh: time.Hour})
		convert := func(ctx context.Context) error {
			_, _, err := w.links.Convert(ctx, links.Conversion{UserID: w.anna.ID, URL: "https://joined.example/x"})
			return err
		}
		join := func(end error) error {
			return affiliate.Join(t.Context(), affiliate.Store[links.Tx](b.Links), func(ctx context.Context, _ links.Tx) error {
				if _, err := w.links.AddRule(ctx, w.acme.ID, links.RuleInput{Type: links.RuleAllow, URL: "joined.example"}); err != nil {
					return err
				}
				if err := convert(ctx); err != nil {
					return err
				}
				return end
			})
		}
		undone := errors.New("undone")
		is.Equal(join(undone), undone)
		is.True(errors.Is(convert(t.Context()), affiliate.ErrInvalid)) // nobody has the URL
		is.NoErr(join(nil))
		is.NoErr(convert(t.Context()))
	})
}
