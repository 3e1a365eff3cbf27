package memory

import (
	"context"
	"slices"
	"time"

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
	engine.Entities[offers.Participant]
	byPart          *engine.Unique[offers.Participant, offers.Part]
	byEmail         *engine.Unique[offers.Participant, promise]
	byIdentifier    *engine.Unique[offers.Participant, promise]
	byOffer, byUser *engine.Groups[offers.Participant, int64]
	emails, handles *engine.Groups[offers.Participant, string]
}

func newParticipantTable(db *DB) participantTable {
	type E = offers.Participant
	t := engine.NewTable[E](&db.store)
	return participantTable{
		engine.Entities[E]{
			Table: t, Resource: "participant",
			ID: func(p *E) *int64 { return &p.ID },
			Own: func(p E) E {
				p.Todo, p.Costs = engine.Copied(p.Todo), engine.Copied(p.Costs)
				return p
			},
			Times: func(p *E) []*time.Time { return []*time.Time{&p.CreatedAt, &p.UpdatedAt} },
			Refuses: func(f *engine.Refusal, p *E, id uint32) {
				t := &db.offers.participants
				f.Refers(db.offers.offers.Knows(p.OfferID), "offer_id")
				f.Refers(db.core.users.KnowsOr0(p.UserID), "user_id")
				f.Unique(t.byPart.Taken(p, id), "user_id")
				f.Unique(t.byEmail.Taken(p, id), "email")
				f.Unique(t.byIdentifier.Taken(p, id), "identifier")
			},
			Sort: engine.Columns[E]{
				"user_id":    engine.Number(func(p *E) int64 { return p.UserID }),
				"status":     engine.Text(func(p *E) string { return string(p.Status) }),
				"created_at": engine.Time(func(p *E) time.Time { return p.CreatedAt }),
				"updated_at": engine.Time(func(p *E) time.Time { return p.UpdatedAt }),
			},
		},
		engine.NewUnique(t, func(p *E) (offers.Part, bool) {
			return offers.Part{OfferID: p.OfferID, UserID: p.UserID}, p.UserID != 0
		}),
		engine.NewUnique(t, func(p *E) (promise, bool) { return promise{p.OfferID, p.Email}, p.Email != "" }),
		engine.NewUnique(t, func(p *E) (promise, bool) { return promise{p.OfferID, p.Identifier}, p.Identifier != "" }),
		engine.NewGroups(t, func(p *E) (int64, bool) { return p.OfferID, true }, nil),
		engine.NewGroups(t, func(p *E) (int64, bool) { return p.UserID, p.UserID != 0 }, nil),
		engine.NewGroups(t, func(p *E) (string, bool) { return p.Email, p.Email != "" }, nil),
		engine.NewGroups(t, func(p *E) (string, bool) { return p.Identifier, p.Identifier != "" }, nil),
	}
}

func (*participantTable) in(db *DB) *engine.Entities[offers.Participant] {
	return &db.offers.participants.Entities
}

type (
	participantRepo = repo[offers.Participant, *participantTable]
	participants    struct{ participantRepo }
)

var _ offers.ParticipantRepository = participants{}

func (r participants) AddMissing(ctx context.Context, list ...offers.Participant) ([]offers.Participant, error) {
	t := &r.u.db.offers.participants
	return r.all().AddMissing(ctx, &r.u.Unit, list, func(p *offers.Participant) bool {
		return t.byPart.Taken(p, 0) || t.byEmail.Taken(p, 0) || t.byIdentifier.Taken(p, 0)
	})
}

func (r participants) ByParts(ctx context.Context, parts []offers.Part) ([]offers.Participant, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.offers.participants.byPart.Among(parts) })
}

func (r participants) ByUser(ctx context.Context, userID int64) ([]offers.Participant, error) {
	return r.rows(ctx, func() []uint32 { return r.u.db.offers.participants.byUser.Of(userID) })
}

func (r participants) PreRegistered(ctx context.Context, emails, identifiers []string) ([]offers.Participant, error) {
	return r.rows(ctx, func() []uint32 {
		t := &r.u.db.offers.participants
		return engine.Sorted(append(engine.ByKeys(t.emails.Of, emails), engine.ByKeys(t.handles.Of, identifiers)...))
	})
}

// Delete takes what belongs to the participant along.
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
	return r.participantRepo.Delete(ctx, id)
}

func (r participants) List(ctx context.Context, f offers.ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[offers.Participant], error) {
	type E = offers.Participant
	t := &r.u.db.offers.participants
	return r.list(ctx, p, func(w *engine.Where[E]) {
		engine.EqualIn(w, f.OfferID, t.byOffer)
		engine.EqualIn(w, f.UserID, t.byUser)
		w.Among(f.IDs)
		engine.Among(w, f.Statuses, func(p *E) offers.ParticipantStatus { return p.Status })
		w.Query(f.Query, func(p *E) int64 { return p.UserID }, func(p *E) string { return p.Email }, func(p *E) string { return p.Identifier }, r.names)
		w.Flag(f.Active, func(p *E) bool { return r.active(p, f) })
	})
}

// names are the texts by which the user of the participant is found.
func (r participants) names(p *offers.Participant) string {
	id, ok := r.u.db.core.users.Find(p.UserID)
	if !ok {
		return ""
	}
	u := r.u.db.core.users.At(id)
	return engine.Texts(u.Username, u.DisplayName, u.Email)
}

// active reports whether the participant has a click in the filter's range.
func (r participants) active(p *offers.Participant, f offers.ParticipantFilter) bool {
	t := r.u.db.stats.rollups
	return slices.ContainsFunc(t.byUser.Of(statGroup{stats.CreatorLevel, p.UserID}), func(id uint32) bool {
		d := t.At(id)
		return d.offer == p.OfferID && d.Clicks > 0 &&
			d.day >= dayNumber(f.From) && (f.Until.IsZero() || d.day < dayNumber(f.Until))
	})
}
