package offers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// ParticipantView is a participant with its user and what it has brought.
type ParticipantView struct {
	Participant
	User   affiliate.Optional[affiliate.User] // absent: pre-registered
	Used   Counts                             // paid clicks and their cost
	Unread int                                // unread activities
	// Currency is the offer's: PaymentAmount and Costs are in it.
	Currency affiliate.Currency
	// Tags are the user's, as far as the viewer sees them. Only one participant
	// alone has them.
	Tags []affiliate.UserTag
}

func (s *Service) participantViews(ctx context.Context, tx Tx, parts []Participant) ([]ParticipantView, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	ids, offerIDs, userIDs, keys := make([]int64, len(parts)), make([]int64, len(parts)), []int64(nil), []UsageKey(nil)
	for i, p := range parts {
		ids[i], offerIDs[i] = p.ID, p.OfferID
		if p.UserID != 0 {
			userIDs, keys = append(userIDs, p.UserID), append(keys, UserUsage(p.OfferID, p.UserID))
		}
	}
	users, err := idset.Index(ctx, tx.Users().GetMany, userIDs, func(u affiliate.User) int64 { return u.ID })
	if err != nil {
		return nil, err
	}
	used, err := tx.Usage().Get(ctx, keys)
	if err != nil {
		return nil, err
	}
	unread, err := tx.Activities().Unread(ctx, ids)
	if err != nil {
		return nil, err
	}
	offers, err := idset.Index(ctx, tx.Offers().GetMany, offerIDs, func(o Offer) int64 { return o.ID })
	if err != nil {
		return nil, err
	}
	out, shown := make([]ParticipantView, len(parts)), []*affiliate.User(nil)
	for i, p := range parts {
		out[i] = ParticipantView{Participant: p, Unread: unread[p.ID], Currency: offers[p.OfferID].Currency}
		if u, ok := users[p.UserID]; ok {
			out[i].User, out[i].Used = affiliate.Some(u), used[UserUsage(p.OfferID, p.UserID)]
			shown = append(shown, &out[i].User.Value)
		}
	}
	return out, affiliate.HideContacts(ctx, tx, s.viewer, shown)
}

func (s *Service) participantView(ctx context.Context, tx Tx, p Participant) (ParticipantView, error) {
	all, err := s.participantViews(ctx, tx, []Participant{p})
	if err != nil {
		return ParticipantView{}, err
	}
	return all[0], nil
}

// Participants lists participants (offer-participants-list).
func (s *Service) Participants(ctx context.Context, f ParticipantFilter, p affiliate.PageRequest) (affiliate.Page[ParticipantView], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[ParticipantView], error) {
		if err := s.ownsList(ctx, tx, f); err != nil {
			return affiliate.Page[ParticipantView]{}, err
		}
		page, err := tx.Participants().List(ctx, f, p)
		if err != nil {
			return affiliate.Page[ParticipantView]{}, err
		}
		items, err := s.participantViews(ctx, tx, page.Items)
		return affiliate.Page[ParticipantView]{Items: items, Total: page.Total}, err
	})
}

// ownsList checks that the viewer may list the participants that a filter
// chooses: the operator any, others those of one offer of theirs.
func (s *Service) ownsList(ctx context.Context, tx Tx, f ParticipantFilter) error {
	if s.viewer.IsOperator() && f.OfferID == 0 {
		return nil
	}
	_, err := s.owned(ctx, tx, f.OfferID)
	return err
}

// Participant returns one participant, whatever its offer
// (offer-participant-get). Of the user's tags it has those that the viewer sees.
func (s *Service) Participant(ctx context.Context, id int64) (ParticipantView, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (ParticipantView, error) {
		p, _, err := s.ownedPart(ctx, tx, id)
		if err != nil {
			return ParticipantView{}, err
		}
		v, err := s.participantView(ctx, tx, p)
		if err != nil || !v.User.Set {
			return v, err
		}
		tags, err := tx.UserTags().GetMany(ctx, v.User.Value.TagIDs)
		v.Tags = slices.DeleteFunc(tags, func(t affiliate.UserTag) bool { return !s.viewer.SeesTag(t) })
		return v, err
	})
}

// ParticipantIn is Participant for one of the offer's; any other is ErrNotFound.
func (s *Service) ParticipantIn(ctx context.Context, offerID, id int64) (ParticipantView, error) {
	v, err := s.Participant(ctx, id)
	if err == nil && v.OfferID != offerID {
		return ParticipantView{}, affiliate.NotFound("participant", id)
	}
	return v, err
}

// ParticipantOf returns the user's part in the offer; absent when it has none
// (offer-user-check). An unknown or deleted offer is ErrNotFound.
func (s *Service) ParticipantOf(ctx context.Context, offerID, userID int64) (affiliate.Optional[ParticipantView], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Optional[ParticipantView], error) {
		var none affiliate.Optional[ParticipantView]
		if _, err := s.live(ctx, tx, offerID); err != nil {
			return none, err
		}
		return s.partOf(ctx, tx, offerID, userID)
	})
}

func (s *Service) partOf(ctx context.Context, tx Tx, offerID, userID int64) (none affiliate.Optional[ParticipantView], err error) {
	found, err := tx.Participants().ByParts(ctx, []Part{{offerID, userID}})
	if err != nil || len(found) == 0 {
		return none, err
	}
	v, err := s.participantView(ctx, tx, found[0])
	return affiliate.Some(v), err
}

// ParticipantByToken is ParticipantOf for the offer with the token. Having the
// token is being invited to look: it is for the user itself and its client as
// well (offer-by-token-user-check).
func (s *Service) ParticipantByToken(ctx context.Context, token string, userID int64) (affiliate.Optional[ParticipantView], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (none affiliate.Optional[ParticipantView], err error) {
		o, err := tx.Offers().ByToken(ctx, token)
		if err != nil {
			return none, err
		}
		if !s.viewer.ActsFor(o.AdvertiserID) {
			switch s.viewer.Principal().Role {
			case affiliate.RoleCreator, affiliate.RoleClient:
				if _, err := affiliate.VisibleUser(ctx, tx, s.viewer, userID); err != nil {
					return none, err
				}
			default:
				return none, affiliate.NotFound("offer", token)
			}
		}
		if !o.DeletedAt.IsZero() {
			return none, affiliate.NotFound("offer", o.ID)
		}
		return s.partOf(ctx, tx, o.ID, userID)
	})
}

func targeted(ctx context.Context, tx Tx, offerID, userID int64) (bool, error) {
	u, err := tx.Users().Get(ctx, userID)
	if err != nil {
		return false, err
	}
	named, err := targetsOfUsers(ctx, tx, map[int64]affiliate.User{u.ID: u})
	if err != nil {
		return false, err
	}
	o, err := tx.Offers().Get(ctx, offerID)
	if err != nil || !reaches(o.StoreGroupID, named[u.ID]) {
		return false, err
	}
	list, err := tx.Targets().Get(ctx, offerID)
	return slices.ContainsFunc(list, func(t Target) bool { return slices.Contains(named[u.ID], t) }), err
}

// change runs a change of one participant of the offer in a unit. A
// participant of another offer is ErrNotFound.
func (s *Service) change(ctx context.Context, offerID, id int64, change func(ctx context.Context, tx Tx, o Offer, p *Participant, now time.Time) error) (ParticipantView, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (ParticipantView, error) {
		o, err := s.locked(ctx, tx, offerID)
		if err != nil {
			return ParticipantView{}, err
		}
		p, err := tx.Participants().Get(ctx, id)
		if err != nil {
			return ParticipantView{}, err
		}
		if p.OfferID != offerID {
			return ParticipantView{}, affiliate.NotFound("participant", id)
		}
		now, from := s.clock.Now(), p.Status
		if err := change(ctx, tx, o, &p, now); err != nil {
			return ParticipantView{}, err
		}
		p.UpdatedAt = now
		if err := saveParticipant(ctx, tx, o, p, from); err != nil {
			return ParticipantView{}, err
		}
		return s.participantView(ctx, tx, p)
	})
}

// saveParticipant keeps a changed participant with its event.
func saveParticipant(ctx context.Context, tx Tx, o Offer, p Participant, from ParticipantStatus) error {
	if err := tx.Participants().Update(ctx, p); err != nil {
		return err
	}
	e := p.event(EventParticipantUpdated, o, "", p.UpdatedAt)
	if p.Status != from {
		e = p.event(EventParticipantMoved, o, from, p.UpdatedAt)
	}
	return tx.Events().Add(ctx, e)
}

// MoveParticipant changes the state of a participant
// (offer-participant-status-update). A move that the table does not have is
// ErrState "illegal_transition"; to where it is already changes nothing. On
// done the payment of the participation is booked: when no budget has room for
// it the move is refused, ErrConflict "budget_exceeded".
func (s *Service) MoveParticipant(ctx context.Context, offerID, id int64, to ParticipantStatus, actor affiliate.Actor) (ParticipantView, error) {
	return s.change(ctx, offerID, id, func(ctx context.Context, tx Tx, o Offer, p *Participant, now time.Time) error {
		return s.move(ctx, tx, o, p, to, actor, now)
	})
}

func (s *Service) move(ctx context.Context, tx Tx, o Offer, p *Participant, to ParticipantStatus, actor affiliate.Actor, now time.Time) error {
	if !slices.Contains(ParticipantStatuses(), to) {
		return affiliate.Invalid("participant", affiliate.FieldError{Field: "status", Code: "unknown_status", Message: "must be a known status"})
	}
	if err := Move(p.Status, to, o.HasProductSeeding); err != nil || p.Status == to {
		return err
	}
	from := p.Status
	p.Status = to
	if to == Done {
		if err := pay(ctx, tx, o, *p, now); err != nil {
			return err
		}
	}
	return tx.Activities().Add(ctx, Activity{ParticipantID: p.ID, Type: ActivityStatus, Actor: actor, From: string(from), To: string(to), CreatedAt: now})
}

// SetTodo replaces a participant's tasks (offer-participant-todo-update).
func (s *Service) SetTodo(ctx context.Context, offerID, id int64, todo []TodoItem) (ParticipantView, error) {
	return s.change(ctx, offerID, id, func(_ context.Context, _ Tx, _ Offer, p *Participant, _ time.Time) error {
		p.Todo = slices.Clone(todo)
		return nil
	})
}

// SetPaymentAmount sets what the participant earns on done, in the offer's
// currency, which an amount without one is taken to be in; absent: the offer's
// one-time payment. Once done it is ErrState "already_done"
// (offer-participant-payment-amount-update).
func (s *Service) SetPaymentAmount(ctx context.Context, offerID, id int64, amount affiliate.Optional[affiliate.Money]) (ParticipantView, error) {
	return s.change(ctx, offerID, id, func(_ context.Context, _ Tx, o Offer, p *Participant, _ time.Time) error {
		if p.Status == Done {
			return &affiliate.Error{Kind: affiliate.ErrState, Code: "already_done", Resource: "participant", Message: "the participant is done and was paid"}
		}
		if c := amount.Value.Currency(); amount.Set && c != "" && c != o.Currency {
			return affiliate.Invalid("participant", affiliate.FieldError{Field: "payment_amount.currency", Code: "currency_mismatch", Message: "must be in " + string(o.Currency)})
		}
		p.PaymentAmount = affiliate.Optional[int64]{Value: amount.Value.Minor(), Set: amount.Set}
		return nil
	})
}

// SetClickLimit bounds the paid clicks of the participant; absent: no bound of
// its own (offer-participant-clicks-override).
func (s *Service) SetClickLimit(ctx context.Context, offerID, id int64, limit affiliate.Optional[int64]) (ParticipantView, error) {
	return s.change(ctx, offerID, id, func(_ context.Context, _ Tx, _ Offer, p *Participant, _ time.Time) error {
		p.ClickLimit = limit
		return nil
	})
}

// SetCosts overrules the offer's rates for the participant. costs returns them
// in the offer's currency, and may run again (offer-participant-costs-override).
func (s *Service) SetCosts(ctx context.Context, offerID, id int64, costs func(affiliate.Currency) ([]Costs, error)) (ParticipantView, error) {
	return s.change(ctx, offerID, id, func(_ context.Context, _ Tx, o Offer, p *Participant, _ time.Time) (err error) {
		p.Costs, err = costs(o.Currency)
		return err
	})
}

// Enroll makes a user whom the offer is for a participant, in its first state,
// unless it is one: what an override for a silent participant needs.
// ErrForbidden "not_targeted" when the offer is not for the user.
func (s *Service) Enroll(ctx context.Context, offerID, userID int64) (ParticipantView, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (ParticipantView, error) {
		o, err := s.live(ctx, tx, offerID)
		if err != nil {
			return ParticipantView{}, err
		}
		p, err := s.enroll(ctx, tx, o, userID)
		if err != nil {
			return ParticipantView{}, err
		}
		return s.participantView(ctx, tx, p)
	})
}

func (s *Service) enroll(ctx context.Context, tx Tx, o Offer, userID int64) (Participant, error) {
	part := []Part{{o.ID, userID}}
	found, err := tx.Participants().ByParts(ctx, part)
	if err != nil {
		return Participant{}, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	is, err := targeted(ctx, tx, o.ID, userID)
	if err != nil {
		return Participant{}, err
	}
	if !is {
		return Participant{}, &affiliate.Error{Kind: affiliate.ErrForbidden, Code: "not_targeted", Resource: "offer", Message: "the campaign is not for this creator"}
	}
	added, err := addParticipants(ctx, tx, map[int64]Offer{o.ID: o}, newPart(o, Participant{UserID: userID}, s.clock.Now()))
	if err != nil {
		return Participant{}, err
	}
	return added[0], relate(ctx, tx, o, added)
}

// Join is a creator's own step (offer-by-token-user-join): it applies to an
// offer of type user_apply, and accepts the invitation of one of type
// store_accept, which every creator has whom the offer is for. A standard one
// is ErrState "not_joinable", an offer that is not running ErrState "not_active",
// and a banned user ErrForbidden.
func (s *Service) Join(ctx context.Context, token string, userID int64) (ParticipantView, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (ParticipantView, error) {
		now := s.clock.Now()
		o, err := tx.Offers().ByToken(ctx, token)
		if err != nil {
			return ParticipantView{}, err
		}
		v, err := view(ctx, tx, now, o)
		if err != nil {
			return ParticipantView{}, err
		}
		if err := s.sees(ctx, tx, v); err != nil {
			return ParticipantView{}, err
		}
		u, err := affiliate.VisibleUser(ctx, tx, s.viewer, userID)
		if err != nil {
			return ParticipantView{}, err
		}
		switch {
		case v.Status == Deleted:
			return ParticipantView{}, affiliate.NotFound("offer", token)
		case u.Status() == affiliate.UserSuspended:
			return ParticipantView{}, affiliate.Forbidden("the creator is banned")
		case o.Type == Standard:
			return ParticipantView{}, &affiliate.Error{Kind: affiliate.ErrState, Code: "not_joinable", Resource: "offer", Message: "creators take part in a standard campaign without joining"}
		case v.Status != Active:
			return ParticipantView{}, &affiliate.Error{Kind: affiliate.ErrState, Code: "not_active", Resource: "offer", Message: "the campaign is " + string(v.Status)}
		}
		p, err := s.enroll(ctx, tx, o, userID)
		if err != nil {
			return ParticipantView{}, err
		}
		to := Applied
		if o.Type == StoreAccept {
			if to = Accepted; p.Status != Open && p.Status != Accepted { // the table has more, which are the advertiser's
				return ParticipantView{}, illegal(p.Status, to)
			}
		}
		if p.Status == to {
			return s.participantView(ctx, tx, p)
		}
		from := p.Status
		if err := s.move(ctx, tx, o, &p, to, affiliate.Actor{UserID: u.ID, Name: u.Username}, now); err != nil {
			return ParticipantView{}, err
		}
		p.UpdatedAt = now
		if err := saveParticipant(ctx, tx, o, p, from); err != nil {
			return ParticipantView{}, err
		}
		if err := tx.Users().Relate(ctx, userID, o.AdvertiserID, true); err != nil {
			return ParticipantView{}, err
		}
		return s.participantView(ctx, tx, p)
	})
}

// UserOffer is an offer as one creator sees it.
type UserOffer struct {
	View
	Participant affiliate.Optional[Participant]
	// PartStatus is the status of the part, or what it would be: open, accepted
	// for a standard offer.
	PartStatus ParticipantStatus
}

// UserOffersFilter chooses among a creator's offers.
type UserOffersFilter struct {
	Name     string              // part of the title or name, in any case
	Statuses []ParticipantStatus // nil: all
}

// UserOffers returns the offers that run now and are for the user, and those
// that it takes part in, whatever they are but deleted, by ascending id
// (user-offers-list, user-campaigns-list). Those of advertisers that keep the
// user away are left out, and so are those of advertisers that creators do not
// see, unless it takes part.
func (s *Service) UserOffers(ctx context.Context, userID int64, f UserOffersFilter) ([]UserOffer, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]UserOffer, error) {
		u, err := affiliate.VisibleUser(ctx, tx, s.viewer, userID)
		if err != nil {
			return nil, err
		}
		blocking, err := affiliate.AdvertisersBlocking(ctx, tx, u, nil)
		if err != nil {
			return nil, err
		}
		now := s.clock.Now()
		found, parts, err := offersOf(ctx, tx, u, now)
		if err != nil {
			return nil, err
		}
		all, err := views(ctx, tx, now, found)
		var out []UserOffer
		for _, v := range all {
			o := UserOffer{View: v, PartStatus: newPart(v.Offer, Participant{}, now).Status}
			if p, ok := parts[v.ID]; ok {
				o.Participant, o.PartStatus = affiliate.Some(p), p.Status
			}
			if blocking[v.AdvertiserID] || !o.Participant.Set && (v.Unlisted || !v.shown()) {
				continue
			}
			name := strings.ToLower(f.Name)
			named := strings.Contains(strings.ToLower(v.Title), name) || strings.Contains(strings.ToLower(v.Name), name)
			if named && (f.Statuses == nil || slices.Contains(f.Statuses, o.PartStatus)) {
				out = append(out, o)
			}
		}
		return out, err
	})
}

// offersOf are the offers that a user sees, by ascending id, and its parts by offer.
func offersOf(ctx context.Context, tx Tx, u affiliate.User, now time.Time) ([]Offer, map[int64]Participant, error) {
	targets, err := targetsOfUsers(ctx, tx, map[int64]affiliate.User{u.ID: u})
	if err != nil {
		return nil, nil, err
	}
	filter := OfferFilter{Targets: targets[u.ID], Statuses: []Status{Active}, At: now}
	byID := make(map[int64]Offer)
	for page := 1; ; page++ {
		p, err := tx.Offers().List(ctx, filter, affiliate.PageRequest{Number: page, Size: affiliate.MaxPageSize})
		if err != nil {
			return nil, nil, err
		}
		for _, o := range p.Items {
			byID[o.ID] = o
		}
		if page*affiliate.MaxPageSize >= p.Total {
			break
		}
	}
	own, err := tx.Participants().ByUser(ctx, u.ID)
	if err != nil {
		return nil, nil, err
	}
	parts, ids := make(map[int64]Participant, len(own)), []int64(nil)
	for _, p := range own {
		parts[p.OfferID] = p
		if _, ok := byID[p.OfferID]; !ok {
			ids = append(ids, p.OfferID)
		}
	}
	more, err := tx.Offers().GetMany(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	var out []Offer
	for _, o := range more {
		if o.DeletedAt.IsZero() {
			out = append(out, o)
		}
	}
	for _, o := range byID {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Offer) int { return int(a.ID - b.ID) })
	return out, parts, nil
}
