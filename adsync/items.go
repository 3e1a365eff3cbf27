package adsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// ItemInput is what a caller says about an item. What is not sent stays as it
// is; AdTemplateType, Available and ContentLanguage are required of a new item.
type ItemInput struct {
	ID               string // of the item to change, as SaveItem finds it; empty: not sent
	ReferenceID      Field[string]
	AdTemplateType   Field[string]
	Available        Field[bool]
	ContentLanguage  Field[string]
	Brand            Field[string]
	Model            Field[string]
	Year             Field[int]
	Condition        Field[Condition]
	Title            Field[string]
	Description      Field[string]
	Link             Field[string]
	Images           Field[[]Image]
	CustomAttributes Field[[]CustomAttribute]
	Price            Field[affiliate.Money]
}

// SaveItem changes the item that the input names, or adds one; it reports
// whether it was added (inventory-item-create). The item is found by the id
// (unknown: ErrNotFound), else by the reference id, else by the fingerprint of
// the input's brand, model, year and reference id. SaveItems saves many at once.
//
// Where commits take time, items that are saved at once share one. When SaveItem
// returns, the item is committed; only inside a transaction of the host's, or a
// joint unit, is it committed with that.
func (s *Service) SaveItem(ctx context.Context, in ItemInput) (Item, bool, error) {
	if err := s.admit(); err != nil {
		return Item{}, false, err
	}
	if err := s.named(); err != nil {
		return Item{}, false, err
	}
	save := &itemSave{s: s, in: in}
	var err error
	if s.group == nil || s.store.Nested(ctx) { // the unit of this context is nobody else's
		err = s.saveAlone(ctx, save)
	} else {
		err = s.group.Do(ctx, save)
	}
	if err != nil {
		return Item{}, false, err
	}
	return save.result.Item, save.result.Created, nil
}

// alone keeps one input, or returns why it was refused.
func (w *itemWriter) alone(ctx context.Context, save func() (ItemResult, error)) (ItemResult, error) {
	r, err := save()
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return ItemResult{}, err
	}
	return r, w.keep(ctx)
}

// itemByID returns the item with an id in text, if the viewer sees it.
func (s *Service) itemByID(ctx context.Context, tx Tx, text string) (Item, error) {
	id, ok := parseID(text)
	if !ok {
		return Item{}, affiliate.NotFound("item", text)
	}
	i, err := tx.InventoryItems().Get(ctx, id)
	if err == nil && !s.sees(i.AccountID) {
		return Item{}, affiliate.NotFound("item", text)
	}
	return i, err
}

// itemBy returns the item with an id or a reference id.
func (s *Service) itemBy(ctx context.Context, tx Tx, key string) (Item, error) {
	i, err := s.itemByID(ctx, tx, key)
	if errors.Is(err, affiliate.ErrNotFound) {
		return tx.InventoryItems().ByReference(ctx, s.who.account, key)
	}
	return i, err
}

// UpdateItem changes the item with an id or reference id (inventory-item-update).
// An input that names another id is ErrConflict "id_mismatch".
func (s *Service) UpdateItem(ctx context.Context, key string, in ItemInput) (Item, error) {
	if err := s.admit(); err != nil {
		return Item{}, err
	}
	r, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (ItemResult, error) {
		before, err := s.itemBy(ctx, tx, key)
		if err != nil {
			return ItemResult{}, err
		}
		owner, err := s.accountOf(ctx, tx, before.AccountID)
		if err == nil {
			err = sameID("item", before.ID, key, in.ID)
		}
		if err != nil {
			return ItemResult{}, err
		}
		in := in
		in.ID = before.ID.String()
		w, err := s.saveItems(ctx, tx, owner, in)
		if err != nil {
			return ItemResult{}, err
		}
		return w.alone(ctx, func() (ItemResult, error) { return w.save(ctx, in) })
	})
	return r.Item, err
}

// sameID refuses an input whose id is neither that of the record nor the key
// that it was found by.
func sameID(resource string, id uuid.UUID, key, sent string) error {
	if sent == "" || sent == key || strings.EqualFold(sent, id.String()) {
		return nil
	}
	return affiliate.Conflict(resource, "id_mismatch", "The body names another id than the path.")
}

// Item returns the item with an id or reference id (inventory-item-get).
func (s *Service) Item(ctx context.Context, key string) (Item, error) {
	if err := s.admit(); err != nil {
		return Item{}, err
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Item, error) { return s.itemBy(ctx, tx, key) })
}

// Items returns a page of the items that the viewer sees (inventory-item-index).
func (s *Service) Items(ctx context.Context, f ItemFilter, p PageRequest) (Page[Item], error) {
	if err := s.admit(); err != nil {
		return Page[Item]{}, err
	}
	if err := checkFilter("condition", f.Condition, Conditions()); err != nil {
		return Page[Item]{}, err
	}
	if s.who.account != "" {
		f.AccountID = s.who.account
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[Item], error) {
		return page(p, placeOfItem, func(after Cursor, limit int) ([]Item, error) { return tx.InventoryItems().List(ctx, f, after, limit) })
	})
}

// unfillable says on the side of the item why an ad template cannot be filled
// in with it.
func unfillable(i Item, err error) error {
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Kind != affiliate.ErrInvalid {
		return err
	}
	var v affiliate.Validation
	for _, f := range e.Fields {
		field := "ad_template_type"
		if f.Code == "unknown_placeholder" {
			field = "custom_attributes"
		}
		v.Add(field, f.Code, fmt.Sprintf("do not fill in the ad template of %s: its %s %s", i.AdTemplateType, f.Field, f.Message))
	}
	return v.Err("item")
}

// hold pauses an autogenerated ad whose item may not be advertised.
func hold(a Ad, now time.Time) Ad {
	if a.State == Active {
		a.State, a.Held, a.UpdatedAt = Paused, true, now
	}
	return a
}

// autogenerated returns the ad of a template for an available item: a new one,
// or before with the template filled in again. A removed one stays as it is.
func (s *Service) autogenerated(t Template, set AdSet, i Item, before Ad, now time.Time) (Ad, error) {
	if before.State == Removed {
		return before, nil
	}
	creative, destination, err := t.Render(i)
	if err != nil {
		return Ad{}, err
	}
	a := before
	if a.ID == uuid.Nil {
		id, err := s.newID()
		if err != nil {
			return Ad{}, affiliate.Unavailable(err)
		}
		a = Ad{
			ID: id, AccountID: i.AccountID, AdSetID: set.ID, AdAccountID: set.AdAccountID, Service: set.Service, State: Active,
			ItemID: i.ID, TemplateID: t.ID, CreatedVia: ViaAutogenerated, CreatedAt: now, UpdatedAt: now,
		}
	}
	a.Type, a.Creative, a.DestinationURL = t.Type, creative, destination
	if a.Held {
		a.State, a.Held = Active, false
	}
	if a != before {
		a.UpdatedAt = now
	}
	return a, nil
}

func adSetsOf(ctx context.Context, tx Tx, templates []Template) (map[uuid.UUID]AdSet, error) {
	out := map[uuid.UUID]AdSet{}
	if len(templates) == 0 {
		return out, nil
	}
	ids := make([]uuid.UUID, len(templates))
	for n, t := range templates {
		ids[n] = t.AdSetID
	}
	sets, err := tx.AdSets().GetMany(ctx, ids)
	for _, set := range sets {
		out[set.ID] = set
	}
	return out, err
}

// putAds keeps changed ads and queues their jobs.
func putAds(ctx context.Context, tx Tx, owner Account, ads []Ad, now time.Time) error {
	if len(ads) == 0 {
		return nil
	}
	if err := tx.Ads().Put(ctx, ads...); err != nil {
		return err
	}
	if err := tx.Events().Add(ctx, adEvents(ads, now)...); err != nil {
		return err
	}
	jobs := make([]Job, len(ads))
	for n, a := range ads {
		jobs[n] = adJob(a)
	}
	return enqueue(ctx, tx, owner, now, jobs...)
}
