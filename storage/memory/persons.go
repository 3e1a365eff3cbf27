package memory

import (
	"bytes"
	"context"
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

type persons struct{ u *unit }

var _ identity.PersonRepository = persons{}

// Remove is written by hand: it walks over whole tables, as it is asked rarely.
func (r persons) Remove(ctx context.Context, p identity.Person) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	if err := p.Validate(); err != nil {
		return r.u.Fail(err)
	}
	db := r.u.db
	name := affiliate.ErasedName(p.UserID)
	byMail := func(email string) bool { return p.Email != "" && email == p.Email }
	unname := func(a *affiliate.Actor) bool {
		if a.UserID != p.UserID {
			return false
		}
		a.Name = name
		return true
	}
	removeRows(db.core.tokens.Table, func(t *identity.AccessToken) bool { return t.UserID == p.UserID })
	removeRows(db.core.keys.Table, func(k *affiliate.IdempotencyKey) bool {
		return p.Email != "" && bytes.Contains(k.Body, []byte(p.Email))
	})
	changeRows(db.identity.accounts.Table, func(id uint32, a *identity.Account) bool {
		mine := a.UserID == p.UserID
		if !mine && !byMail(a.Email) {
			return false
		}
		a.Email, a.Name = "", ""
		if mine {
			a.Subject, a.Role, a.UserID, a.UTM = "erased-account-"+strconv.FormatUint(uint64(id), 10), "", 0, identity.UTM{}
		}
		return true
	})
	changeRows(db.identity.invites.Table, func(_ uint32, i *identity.Invite) bool {
		changed := unname(&i.By)
		if byMail(i.Email) {
			i.Email, changed = p.ErasedEmail(), true
		}
		return changed
	})
	changeRows(db.core.blocklist.Table, func(_ uint32, e *affiliate.BlocklistEntry) bool { return unname(&e.CreatedBy) })
	changeRows(db.offers.offers.Table, func(_ uint32, o *offers.Offer) bool { return unname(&o.CreatedBy) })
	changeRows(db.offers.comments.Table, func(_ uint32, c *offers.Comment) bool {
		changed := unname(&c.Author)
		if changed {
			c.AuthorKey = ""
		}
		return changed
	})
	changeRows(db.offers.activities.Table, func(_ uint32, a *offers.Activity) bool { return unname(&a.Actor) })
	changeRows(db.offers.ads.Table, func(_ uint32, a *returnAdRow) bool { return unname(&a.Author) })
	changeRows(db.offers.targets.Table, func(_ uint32, t *targetRow) bool {
		switch {
		case t.Kind == offers.TargetEmail && byMail(t.Value):
			t.Value = p.ErasedEmail()
		case t.Kind == offers.TargetIdentifier && slices.Contains(p.Handles, t.Value):
			t.Value = name + "-" + strconv.Itoa(slices.Index(p.Handles, t.Value)+1)
		default:
			return false
		}
		return true
	})
	changeRows(db.media.Table, func(_ uint32, m *media.Medium) bool {
		if m.UserID != p.UserID && !slices.Contains(p.Handles, m.Username) {
			return false
		}
		m.Username, m.Href, m.ContentType, m.UserID = name, "", "", 0
		return true
	})
	return nil
}

// changeRows replaces the rows that change says it changed.
func changeRows[R any](t *engine.Table[R], change func(id uint32, r *R) bool) {
	for _, id := range t.IDs() {
		row := *t.At(id)
		if change(id, &row) {
			t.Replace(id, row)
		}
	}
}

// removeRows deletes the rows that match.
func removeRows[R any](t *engine.Table[R], matches func(r *R) bool) {
	for _, id := range t.IDs() {
		if matches(t.At(id)) {
			t.Delete(id)
		}
	}
}
