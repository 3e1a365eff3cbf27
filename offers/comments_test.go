package offers_test

import (
	"errors"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

func TestCommentsAreTheirAuthors(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.offer(func(n *offers.OfferInput) { n.Targets.UserIDs = []int64{w.anna.ID} })
		p, err := w.offers.ParticipantOf(t.Context(), v.ID, w.anna.ID)
		w.NoErr(err)
		id := p.Value.ID
		by := func(role affiliate.Role, subject string) *offers.Service {
			return w.offers.For(affiliate.ViewerOf(affiliate.Principal{Role: role, Subject: subject, Name: "Kim", AdvertiserIDs: []int64{v.AdvertiserID}}))
		}
		author, namesake, agency := by(affiliate.RoleRepresentative, "kim-1"), by(affiliate.RoleRepresentative, "kim-2"), by(affiliate.RoleAgency, "kim-1")
		c, err := author.AddComment(t.Context(), id, "hello")
		w.NoErr(err)
		w.Equal(c.Author, affiliate.Actor{Name: "Kim"})
		for _, other := range []*offers.Service{namesake, agency} { // of the same name
			_, err = other.UpdateComment(t.Context(), id, c.ID, "x")
			w.True(errors.Is(err, affiliate.ErrForbidden))
			w.True(errors.Is(other.DeleteComment(t.Context(), id, c.ID), affiliate.ErrForbidden))
		}
		_, err = author.UpdateComment(t.Context(), id+1, c.ID, "x")
		w.True(errors.Is(err, affiliate.ErrNotFound))
		c, err = author.UpdateComment(t.Context(), id, c.ID, "hello again")
		w.NoErr(err)
		w.Equal(c.Text, "hello again")
		unread := func() int {
			p, err := w.offers.Participant(t.Context(), id)
			w.NoErr(err)
			return p.Unread
		}
		for _, s := range []*offers.Service{w.offers, author} { // the operator looks without a trace
			w.Equal(unread(), 1)
			page, err := s.Activities(t.Context(), id, affiliate.PageRequest{Number: 1, Size: 9})
			w.NoErr(err)
			w.Equal(page.Items[0].Type, offers.ActivityComment)
			w.True(page.Items[0].ReadAt.IsZero()) // as it was before
		}
		w.Equal(unread(), 0)
		_, err = w.offers.UpdateComment(t.Context(), id, c.ID, "the operator may")
		w.NoErr(err)
		w.NoErr(author.DeleteComment(t.Context(), id, c.ID))
		w.True(errors.Is(author.DeleteComment(t.Context(), id, c.ID), affiliate.ErrNotFound))
	})
}
