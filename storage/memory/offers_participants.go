package memory

import (
	"context"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// promise is an e-mail or an identifier within an offer.
type promise struct {
	offer int64
	name  string
}

type participantTable struct {
	*engine.Table[offers.Participant]
	byPart          *engine.Unique[offers.Participant, offers.Part]
	byEmail         *engine.Unique[offers.Participant, promise]
	byIdentifier    *engine.Unique[offers.Participant, promise]
	byOffer, byUser *engine.Groups[offers.Participant, int64]
	emails, handles *engine.Groups[offers.Participant, string]
}

func newParticipantTable(db *DB) participantTable {
	t := engine.NewTable[offers.Participant](&db.store)
	type V = offers.Participant
	return participantTable{t,
		engine.NewUnique(t, func(p *V) (offers.Part, bool) {
			return offers.Part{OfferID: p.OfferID, UserID: p.UserID}, p.UserID != 0
		}),
		engine.NewUnique(t, func(p *V) (promise, bool) { return promise{p.OfferID, p.Email}, p.Email != "" }),
		engine.NewUnique(t, func(p *V) (promise, bool) { return promise{p.OfferID, p.Identifier}, p.Identifier != "" }),
		engine.NewGroups(t, func(p *V) (int64, bool) { return p.OfferID, true }, nil),
		engine.NewGroups(t, func(p *V) (int64, bool) { return p.UserID, p.UserID != 0 }, nil),
		engine.NewGroups(t, func(p *V) (string, bool) { return p.Email, p.Email != "" }, nil),
		engine.NewGroups(t, func(p *V) (string, bool) { return p.Identifier, p.Identifier != "" }, nil),
	}
}

func copyParticipant(id uint32, p *offers.Participant) offers.Participant {
	c := *p
	c.ID = int64(id)
	c.Todo, c.Costs = engine.Copied(p.Todo), engine.Copied(p.Costs)
	return c
}

func keptParticipant(p offers.Participant) offers.Participant {
	p = copyParticipant(0, &p)
	p.CreatedAt, p.UpdatedAt = engine.Kept(p.CreatedAt), engine.Kept(p.UpdatedAt)
	return p
}

var participantColumns = engine.Columns[offers.Participant]{
	"user_id":    engine.Number(func(p *offers.Participant) int64 { return p.UserID }),
	"status":     engine.Text(func(p *offers.Participant) string { return string(p.Status) }),
	"created_at": engine.Number(func(p *offers.Participant) int64 { return p.CreatedAt.UnixMicro() }),
	"updated_at": engine.Number(func(p *offers.Participant) int64 { return p.UpdatedAt.UnixMicro() }),
}

type participants struct{ u *unit }

// check refuses what SQL would; the unique keys only of an update.
func (r participants) check(p offers.Participant) error {
	var f engine.Refusal
	db := r.u.db
	t := db.offers.participants
	f.Refers(db.offers.offers.Knows(p.OfferID), "offer_id")
	f.Refers(db.core.users.KnowsOr0(p.UserID), "user_id")
	f.Unique(t.byPart.Taken(&p, uint32(p.ID)), "user_id")
	f.Unique(t.byEmail.Taken(&p, uint32(p.ID)), "email")
	f.Unique(t.byIdentifier.Taken(&p, uint32(p.ID)), "identifier")
	return f.Err("participant")
}

func (r participants) AddMissing(ctx context.Context, list ...offers.Participant) ([]offers.Participant, error) {
	if err := r.u.Change(ctx); err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return nil, r.u.Fail(err)
		}
	}
	t := r.u.db.offers.participants
	var out []offers.Participant
	for _, p := range list {
		p.ID = 0
		if t.byPart.Taken(&p, 0) || t.byEmail.Taken(&p, 0) || t.byIdentifier.Taken(&p, 0) {
			continue
		}
		added, err := engine.Add(ctx, &r.u.Unit, t.Table, p, keptParticipant, r.check, copyParticipant)
		if err != nil {
			return nil, err
		}
		out = append(out, added)
	}
	return out, nil
}

func (r participants) Get(ctx context.Context, id int64) (offers.Participant, error) {
	return engine.Get(ctx, &r.u.Unit, r.u.db.offers.participants.Table, "participant", id, copyParticipant)
}

func (r participants) GetMany(ctx context.Context, ids []int64) ([]offers.Participant, error) {
	return engine.GetMany(ctx, &r.u.Unit, r.u.db.offers.participants.Table, ids, copyParticipant)
}

func (r participants) ByParts(ctx context.Context, parts []offers.Part) ([]offers.Participant, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.participants
	var ids []uint32
	for _, part := range parts {
		if id, ok := t.byPart.Find(part); ok {
			ids = append(ids, id)
		}
	}
	return engine.Collect(t.Table, engine.Sorted(ids), copyParticipant), nil
}

func (r participants) ByUser(ctx context.Context, userID int64) ([]offers.Participant, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.participants
	return engine.Collect(t.Table, t.byUser.Of(userID), copyParticipant), nil
}

func (r participants) PreRegistered(ctx context.Context, emails, identifiers []string) ([]offers.Participant, error) {
	if err := r.u.Use(ctx); err != nil {
		return nil, err
	}
	t := r.u.db.offers.participants
	ids := append(engine.ByKeys(t.emails.Of, emails), engine.ByKeys(t.handles.Of, identifiers)...)
	return engine.Collect(t.Table, engine.Sorted(ids), copyParticipant), nil
}

func (r participants) Update(ctx context.Context, p offers.Participant) error {
	return engine.Update(ctx, &r.u.Unit, r.u.db.offers.participants.Table, "participant", p.ID, p, keptParticipant, r.check)
}

func (r participants) Delete(ctx context.Context, id int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	o := &r.u.db.offers
	for _, c := range slices.Clone(o.comments.byParticipant.Of(id)) {
		o.comments.Delete(c)
	}
	for _, a := range slices.Clone(o.activities.byParticipant.Of(id)) {
		o.activities.Delete(a)
	}
	return engine.Remove(ctx, &r.u.Unit, o.participants.Table, "participant", id)
}

func (r participants) List(ctx context.Context, f offers.ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[offers.Participant], error) {
	if err := r.u.Use(ctx); err != nil {
		return affiliate.Page[offers.Participant]{}, err
	}
	t := r.u.db.offers.participants
	s := engine.Everything[offers.Participant]()
	switch {
	case f.IDs != nil:
		s = engine.Only[offers.Participant](t.Among(f.IDs))
	case f.UserID != 0:
		s = engine.Only[offers.Participant](t.byUser.Of(f.UserID))
	case f.OfferID != 0:
		s = engine.Only[offers.Participant](t.byOffer.Of(f.OfferID))
	}
	if f.Query != "" || f.Statuses != nil || f.Active.Set || f.IDs != nil || f.OfferID != 0 && f.UserID != 0 {
		s.Keep = func(id uint32, p *offers.Participant) bool {
			return (f.OfferID == 0 || p.OfferID == f.OfferID) && (f.UserID == 0 || p.UserID == f.UserID) &&
				(f.Statuses == nil || slices.Contains(f.Statuses, p.Status)) && (f.Query == "" || r.named(p, f.Query)) &&
				(!f.Active.Set || f.Active.Value == r.active(p, f))
		}
	}
	return engine.Page(&r.u.Unit, t.Table, s, p, participantColumns, copyParticipant)
}

// named is the query of a filter.
func (r participants) named(p *offers.Participant, query string) bool {
	if engine.Matches(p.Email, query) || engine.Matches(p.Identifier, query) {
		return true
	}
	id, ok := r.u.db.core.users.Find(p.UserID)
	if !ok {
		return false
	}
	u := r.u.db.core.users.At(id)
	return engine.IsID(query, id) || engine.Matches(u.Username, query) || engine.Matches(u.DisplayName, query) || engine.Matches(u.Email, query)
}

// active reports whether the participant has a click in the filter's range.
func (r participants) active(p *offers.Participant, f offers.ParticipantFilter) bool {
	t := r.u.db.stats.rollups
	return slices.ContainsFunc(t.byUser.Of(statGroup{stats.CreatorLevel, p.UserID}), func(id uint32) bool {
		d := t.At(id)
		return d.offer == p.OfferID && d.Clicks > 0 &&
			(f.From.IsZero() || d.day >= dayNumber(f.From)) && (f.Until.IsZero() || d.day < dayNumber(f.Until))
	})
}
