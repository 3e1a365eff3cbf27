package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/offers"
)

// promise is an e-mail or an identifier within an offer.
type promise struct {
	offer int64
	name  string
}

type participantTable struct {
	*table[offers.Participant]
	byPart          *unique[offers.Participant, offers.Part]
	byEmail         *unique[offers.Participant, promise]
	byIdentifier    *unique[offers.Participant, promise]
	byOffer, byUser *groups[offers.Participant, int64]
	emails, handles *groups[offers.Participant, string]
}

func newParticipantTable() participantTable {
	t := &table[offers.Participant]{}
	type V = offers.Participant
	return participantTable{t,
		newUnique(t, func(p *V) (offers.Part, bool) {
			return offers.Part{OfferID: p.OfferID, UserID: p.UserID}, p.UserID != 0
		}),
		newUnique(t, func(p *V) (promise, bool) { return promise{p.OfferID, p.Email}, p.Email != "" }),
		newUnique(t, func(p *V) (promise, bool) { return promise{p.OfferID, p.Identifier}, p.Identifier != "" }),
		newGroups(t, func(p *V) (int64, bool) { return p.OfferID, true }, nil),
		newGroups(t, func(p *V) (int64, bool) { return p.UserID, p.UserID != 0 }, nil),
		newGroups(t, func(p *V) (string, bool) { return p.Email, p.Email != "" }, nil),
		newGroups(t, func(p *V) (string, bool) { return p.Identifier, p.Identifier != "" }, nil),
	}
}

func copyParticipant(id uint32, p *offers.Participant) offers.Participant {
	c := *p
	c.ID = int64(id)
	c.Todo, c.Costs = copied(p.Todo), copied(p.Costs)
	return c
}

func keptParticipant(p offers.Participant) offers.Participant {
	p = copyParticipant(0, &p)
	p.CreatedAt, p.UpdatedAt = kept(p.CreatedAt), kept(p.UpdatedAt)
	return p
}

var participantColumns = columns[offers.Participant]{
	"user_id":    number(func(p *offers.Participant) int64 { return p.UserID }),
	"status":     text(func(p *offers.Participant) string { return string(p.Status) }),
	"created_at": number(func(p *offers.Participant) int64 { return p.CreatedAt.UnixMicro() }),
	"updated_at": number(func(p *offers.Participant) int64 { return p.UpdatedAt.UnixMicro() }),
}

type participants struct{ u *unit }

// check refuses what SQL would; the unique keys only of an update.
func (r participants) check(p offers.Participant) error {
	var f refusal
	db := r.u.db
	t := db.offers.participants
	f.refers(db.offers.offers.knows(p.OfferID), "offer_id")
	f.refers(db.core.users.knowsOr0(p.UserID), "user_id")
	f.frees(t.byPart.taken(&p, uint32(p.ID)), "user_id")
	f.frees(t.byEmail.taken(&p, uint32(p.ID)), "email")
	f.frees(t.byIdentifier.taken(&p, uint32(p.ID)), "identifier")
	return f.err("participant")
}

func (r participants) AddMissing(ctx context.Context, list ...offers.Participant) ([]offers.Participant, error) {
	if err := r.u.change(ctx); err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return nil, r.u.fail(err)
		}
	}
	t := r.u.db.offers.participants
	var out []offers.Participant
	for _, p := range list {
		p.ID = 0
		if t.byPart.taken(&p, 0) || t.byEmail.taken(&p, 0) || t.byIdentifier.taken(&p, 0) {
			continue
		}
		added, err := add(ctx, r.u, t.table, p, keptParticipant, r.check, copyParticipant)
		if err != nil {
			return nil, err
		}
		out = append(out, added)
	}
	return out, nil
}

func (r participants) Get(ctx context.Context, id int64) (offers.Participant, error) {
	return getRow(ctx, r.u, r.u.db.offers.participants.table, "participant", id, copyParticipant)
}

func (r participants) GetMany(ctx context.Context, ids []int64) ([]offers.Participant, error) {
	return getRows(ctx, r.u, r.u.db.offers.participants.table, ids, copyParticipant)
}

func (r participants) ByParts(ctx context.Context, parts []offers.Part) ([]offers.Participant, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.participants
	var ids []uint32
	for _, part := range parts {
		if id, ok := t.byPart.find(part); ok {
			ids = append(ids, id)
		}
	}
	return answer(t.table, sorted(ids), copyParticipant), nil
}

func (r participants) ByUser(ctx context.Context, userID int64) ([]offers.Participant, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.participants
	return answer(t.table, t.byUser.of(userID), copyParticipant), nil
}

func (r participants) PreRegistered(ctx context.Context, emails, identifiers []string) ([]offers.Participant, error) {
	if err := r.u.use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.participants
	ids := append(byKeys(t.emails.of, emails), byKeys(t.handles.of, identifiers)...)
	return answer(t.table, sorted(ids), copyParticipant), nil
}

func (r participants) Update(ctx context.Context, p offers.Participant) error {
	return update(ctx, r.u, r.u.db.offers.participants.table, "participant", p.ID, p, keptParticipant, r.check)
}

func (r participants) Delete(ctx context.Context, id int64) error {
	if err := r.u.change(ctx); err != nil {
		return err
	}
	o := &r.u.db.offers
	for _, c := range slices.Clone(o.comments.byParticipant.of(id)) {
		o.comments.delete(r.u, c)
	}
	for _, a := range slices.Clone(o.activities.byParticipant.of(id)) {
		o.activities.delete(r.u, a)
	}
	return remove(ctx, r.u, o.participants.table, "participant", id)
}

func (r participants) List(ctx context.Context, f offers.ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[offers.Participant], error) {
	if err := r.u.use(ctx); err != nil {
		return affiliate.Page[offers.Participant]{}, err
	}
	t := r.u.db.offers.participants
	s := everything[offers.Participant]()
	switch {
	case f.IDs != nil:
		s = only[offers.Participant](t.among(f.IDs))
	case f.UserID != 0:
		s = only[offers.Participant](t.byUser.of(f.UserID))
	case f.OfferID != 0:
		s = only[offers.Participant](t.byOffer.of(f.OfferID))
	}
	if f.Query != "" || f.Statuses != nil || f.Active.Set || f.IDs != nil || f.OfferID != 0 && f.UserID != 0 {
		s.keep = func(id uint32, p *offers.Participant) bool {
			return (f.OfferID == 0 || p.OfferID == f.OfferID) && (f.UserID == 0 || p.UserID == f.UserID) &&
				(f.Statuses == nil || slices.Contains(f.Statuses, p.Status)) && (f.Query == "" || r.named(p, f.Query)) &&
				(!f.Active.Set || f.Active.Value == r.active(p, f))
		}
	}
	return page(r.u, t.table, s, p, participantColumns, copyParticipant)
}

// named is the query of a filter.
func (r participants) named(p *offers.Participant, query string) bool {
	if matches(p.Email, query) || matches(p.Identifier, query) {
		return true
	}
	id, ok := r.u.db.core.users.find(p.UserID)
	if !ok {
		return false
	}
	u := r.u.db.core.users.at(id)
	return isID(query, id) || matches(u.Username, query) || matches(u.DisplayName, query) || matches(u.Email, query)
}

// active reports whether the participant has a click in the filter's range.
func (r participants) active(p *offers.Participant, f offers.ParticipantFilter) bool {
	t := r.u.db.offers.days
	return slices.ContainsFunc(t.byPart.of(offers.Part{OfferID: p.OfferID, UserID: p.UserID}), func(id uint32) bool {
		d := t.at(id)
		return d.clicks > 0 && (f.From.IsZero() || d.date >= dayNumber(f.From)) && (f.Until.IsZero() || d.date < dayNumber(f.Until))
	})
}
