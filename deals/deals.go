package deals

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// DealDetails is a deal as it is now, with what it is shown with.
type DealDetails struct {
	Deal
	Catalog Catalog
	Offer   Offer
}

// Posting is what a business partner reports of a purchase (deal-create).
type Posting struct {
	ExternalID  string // its own id of the deal
	Status      Status // Created or Paid
	CatalogCode string
	Offer       string // its name
	Cost        affiliate.Money
	PromoCode   string // empty: none
	AnotherData string // the query string that the customer came with; empty: none
}

// Post reports a purchase. The first time it creates the deal: the partner is
// found, the terms and durations are frozen. From then on the same posting
// changes the status alone, and the same status again changes nothing; another
// parameter is ErrInvalid and named. A deal posted by several processes at once
// is one deal.
func (s *Service) Post(ctx context.Context, businessPartnerID uuid.UUID, p Posting) (DealDetails, error) {
	p = p.tidy()
	if err := p.validate(); err != nil {
		return DealDetails{}, err
	}
	id, err := s.id()
	if err != nil {
		return DealDetails{}, err
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (DealDetails, error) {
		now := s.clock.Now()
		kept, err := optional(tx.Deals().ByExternalID(ctx, businessPartnerID, p.ExternalID))
		if err != nil {
			return DealDetails{}, err
		}
		d, added := kept.Value, false
		if !kept.Set {
			fresh, err := p.deal(ctx, tx, businessPartnerID)
			if err != nil {
				return DealDetails{}, err
			}
			fresh.ID, fresh.CreatedAt, fresh.ModifiedAt = id, now, now
			if d, added, err = tx.Deals().AddOrGet(ctx, fresh); err != nil {
				return DealDetails{}, err
			}
		}
		if added {
			if err := tx.Events().Add(ctx, d.statusEvent()); err != nil {
				return DealDetails{}, err
			}
		} else if err := p.sameAs(d); err != nil {
			return DealDetails{}, err
		}
		d = d.At(now)
		if d, err = move(ctx, tx, d, p.Status, false, now); err != nil {
			return DealDetails{}, err
		}
		return dealDetails(ctx, tx, d.At(now))
	})
}

// Deal returns one deal as it is now (deal-get): by its id, or by the business
// partner's own.
func (s *Service) Deal(ctx context.Context, businessPartnerID uuid.UUID, id string) (DealDetails, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (DealDetails, error) {
		d, err := dealOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return DealDetails{}, err
		}
		return dealDetails(ctx, tx, d.At(s.clock.Now()))
	})
}

// Changes are what a business partner may change of a deal. What is not set
// stays as it is.
type Changes struct {
	Status   affiliate.Optional[Status]          // Created, Paid or Canceled
	Cost     affiliate.Optional[decimal.Decimal] // major units of the deal's currency; while the deal is Created
	Returned affiliate.Optional[bool]            // the customer got the money back; counts only with Canceled
	Comment  affiliate.Optional[string]
}

// ChangeDeal changes a deal (deal-update), all or nothing. A cost that changes
// brings a new reward, by the terms that were frozen. An Approved deal can be
// Canceled only with Returned, at any time: a refund, which takes the reward back
// also after it was paid out. Returned without the status Canceled changes
// nothing, as the document's own example has it.
func (s *Service) ChangeDeal(ctx context.Context, businessPartnerID uuid.UUID, id string, c Changes) (DealDetails, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (DealDetails, error) {
		now := s.clock.Now()
		kept, err := dealOf(ctx, tx, businessPartnerID, id)
		if err != nil {
			return DealDetails{}, err
		}
		d := kept.At(now)
		if err := c.validate(d); err != nil {
			return DealDetails{}, err
		}
		changed := d
		if err := c.apply(&changed); err != nil {
			return DealDetails{}, err
		}
		to := c.Status.Or(d.Status)
		if c.Status.Value == Canceled && c.Returned.Value {
			changed.Returned = true
		}
		switch {
		case to != d.Status:
			changed, err = move(ctx, tx, changed, to, changed.Returned, now)
		case changed != d:
			changed.ModifiedAt = now
			err = save(ctx, tx, kept, changed)
		}
		if err != nil {
			return DealDetails{}, err
		}
		return dealDetails(ctx, tx, changed.At(now))
	})
}

// validate checks the changes against the deal as it is now.
func (c Changes) validate(d Deal) error {
	var v affiliate.Validation
	if c.Status.Set {
		v.Check(c.Status.Value == Created || c.Status.Value == Paid || c.Status.Value == Canceled,
			"status", "not_in_list", "must be one of Paid, Canceled, Created")
	}
	if c.Cost.Set {
		cost, err := c.cost(d)
		if err != nil {
			v.Merge("", err)
		} else {
			v.Check(cost == d.Cost || d.Status == Created, "cost", "not_changeable", "can change only while the deal is Created; it is "+string(d.Status))
			v.Check(cost.Sign() >= 0, "cost", "out_of_range", "must not be negative")
		}
	}
	v.Text("comment", c.Comment.Value, 0, MaxComment)
	return v.Err("deal")
}

// apply makes the changes but for those that come with a new status.
func (c Changes) apply(d *Deal) error {
	d.Comment = c.Comment.Or(d.Comment)
	cost, err := c.cost(*d)
	if err != nil || cost == d.Cost {
		return err
	}
	d.Cost = cost
	d.Reward, err = d.reward()
	return err
}

// cost is the cost that the deal is to have. Nothing is rounded.
func (c Changes) cost(d Deal) (affiliate.Money, error) {
	if !c.Cost.Set {
		return d.Cost, nil
	}
	var v affiliate.Validation
	if e := c.Cost.Value.Exponent(); e < -maxCostExponent || e > maxCostExponent {
		v.Add("cost", "out_of_range", "must be an amount of money")
		return affiliate.Money{}, v.Err("deal")
	}
	m, err := affiliate.ParseMoney(c.Cost.Value.String(), d.Cost.Currency())
	if e, ok := errors.AsType[*affiliate.Error](err); ok {
		for _, f := range e.Fields {
			v.Add("cost", f.Code, f.Message)
		}
		err = v.Err("deal")
	}
	return m, err
}

// maxCostExponent keeps a hostile 1e999999999 from being written out.
const maxCostExponent = 64

// reward is what the deal's terms come to.
func (d Deal) reward() (affiliate.Money, error) {
	if d.Source == Unattributed {
		return affiliate.NewMoney(0, d.Cost.Currency()), nil
	}
	return d.Terms.Reward(d.Cost)
}

// DealFilter chooses deals as they are now.
type DealFilter struct {
	BusinessPartnerID uuid.UUID
	CatalogID         uuid.UUID
	PartnerID         uuid.UUID
	Status            Status // now, whether or not a sweep has written it down
}

// Deals lists deals as they are now. Sort columns: created_at, modified_at,
// cost; the two latter sort by what is written down.
func (s *Service) Deals(ctx context.Context, f DealFilter, p affiliate.PageRequest) (affiliate.Page[Deal], error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Deal], error) {
		now := s.clock.Now()
		kept := KeptDealFilter{BusinessPartnerID: f.BusinessPartnerID, CatalogID: f.CatalogID, PartnerID: f.PartnerID}
		if f.Status != "" {
			kept.Statuses = StatusAt(f.Status, now)
		}
		page, err := tx.Deals().List(ctx, kept, p)
		for i, d := range page.Items {
			page.Items[i] = d.At(now)
		}
		return page, err
	})
}

// move brings a deal, which is as it is now, to a status, with what that means
// for the ledger. The status that it has is no move. returned says that the
// customer got the money back.
func move(ctx context.Context, tx Tx, d Deal, to Status, returned bool, now time.Time) (Deal, error) {
	if to == d.Status {
		return d, nil
	}
	event, known := triggerTo(to)
	if d.Status == Approved && event == Withdraw && returned {
		event = Refund
	}
	next, legal := d.Status.On(event)
	if !known || !legal {
		return Deal{}, illegalMove(d, to)
	}
	before := d
	d.enter(next, now)
	d.ModifiedAt = now
	var err error
	switch {
	case next == Paid && d.Reward.Sign() > 0:
		d.EntryID, err = book(ctx, tx, d)
	case next == Canceled && d.EntryID != 0:
		err = takeBack(ctx, tx, d)
	}
	if err != nil {
		return Deal{}, err
	}
	return d, save(ctx, tx, before, d)
}

// save writes a deal in place of what is kept of it, and tells of a new status,
// also of one that time has brought and no sweep has written down.
func save(ctx context.Context, tx Tx, kept, d Deal) error {
	if err := tx.Deals().Update(ctx, d); err != nil {
		return err
	}
	if d.Status == kept.Status {
		return tx.Events().Add(ctx, d.event(EventDealUpdated, d.ModifiedAt))
	}
	return tx.Events().Add(ctx, d.statusEvent())
}

// book puts the reward into the ledger, payable when the hold is over.
func book(ctx context.Context, tx Tx, d Deal) (int64, error) {
	terms, err := d.terms()
	if err != nil {
		return 0, err
	}
	entries, err := tx.Ledger().Append(ctx, affiliate.Entry{
		Kind: affiliate.EntryDeal, Account: affiliate.PartnerAccount(d.PartnerID.String()),
		Earning: d.Reward, Cost: affiliate.NewMoney(0, d.Reward.Currency()), // no advertiser pays
		OccurredAt: d.PaidAt, PayableAt: d.PaidAt.Add(d.Hold), Cause: d.cause(), Terms: terms,
	})
	if err != nil {
		return 0, err
	}
	return entries[0].ID, nil
}

// terms are the frozen terms as the ledger keeps them. They do not name the
// deal, which is the entry's cause: all deals of an offer share one text.
func (d Deal) terms() (string, error) {
	text, err := json.Marshal(struct {
		Offer  uuid.UUID `json:"offer_id"`
		Source Source    `json:"source"`
		Fixed  string    `json:"fix_remuneration,omitempty"` // major units
		Share  string    `json:"reward_percent,omitempty"`
	}{d.OfferID, d.Source, textUnlessZero(d.Terms.Fixed), textUnlessZero(Percent(d.Terms.Share))})
	return string(text), err
}

// takeBack reverses the whole reward.
func takeBack(ctx context.Context, tx Tx, d Deal) error {
	_, err := affiliate.Reverse(ctx, tx, d.CanceledAt, affiliate.Reversal{
		EntryID: d.EntryID, Earning: d.Reward, Cost: affiliate.NewMoney(0, d.Reward.Currency()), Cause: d.reversalCause(),
	})
	return err
}

// dealOf is the business partner's deal by the system's id or its own;
// another's does not exist for it.
func dealOf(ctx context.Context, tx Tx, businessPartnerID uuid.UUID, id string) (Deal, error) {
	if system, err := uuid.Parse(id); err == nil && system.String() == id {
		d, err := tx.Deals().Get(ctx, system)
		if err == nil && d.BusinessPartnerID == businessPartnerID {
			return d, nil
		}
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return Deal{}, err
		}
	}
	return tx.Deals().ByExternalID(ctx, businessPartnerID, id)
}

func dealDetails(ctx context.Context, tx Tx, d Deal) (DealDetails, error) {
	c, err := tx.Catalogs().Get(ctx, d.CatalogID)
	if err != nil {
		return DealDetails{}, err
	}
	o, err := tx.CatalogOffers().Get(ctx, d.OfferID)
	return DealDetails{Deal: d, Catalog: c, Offer: o}, err
}
