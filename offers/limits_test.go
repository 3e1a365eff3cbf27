package offers_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// What an offer has is bounded in all, not only in one call: and what a call
// makes of it too.
func TestTargetsAreBoundedInAll(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mails := func(from, n int) offers.Targets {
			out := offers.Targets{}
			for i := range n {
				out.Emails = append(out.Emails, fmt.Sprintf("p%d@x.example", from+i))
			}
			return out
		}
		add := func(v offers.Saved, t offers.Targets) error {
			_, _, err := w.offers.AddTargets(w.t.Context(), v.ID, t)
			return err
		}
		many := w.offer(nil)
		w.NoErr(add(many, mails(0, offers.MaxTargets-1)))
		w.True(errors.Is(add(many, mails(offers.MaxTargets, 2)), affiliate.ErrInvalid))
		w.NoErr(add(many, mails(offers.MaxTargets-3, 3))) // two of them it has already
		has, _, err := w.offers.Targets(t.Context(), many.ID)
		w.NoErr(err)
		w.Equal(len(has.Emails), offers.MaxTargets)

		todo := w.offer(func(n *offers.OfferInput) {
			for i := range offers.MaxTodo {
				n.Offer.Todo = append(n.Offer.Todo, fmt.Sprint("k", i))
			}
		})
		err = add(todo, mails(0, 1001))
		w.True(errors.Is(err, affiliate.ErrInvalid))
		w.NoErr(add(todo, mails(0, 1000)))
	})
}
