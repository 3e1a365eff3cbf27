package adsync

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
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
// the input's brand, model, year and reference id.
func (s *Service) SaveItem(ctx context.Context, in ItemInput) (Item, bool, error) {
	if err := s.admit(); err != nil {
		return Item{}, false, err
	}
	fresh, err := s.newItem()
	if err != nil {
		return Item{}, false, err
	}
	var created bool
	i, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Item, error) {
		owner, err := s.owner(ctx, tx)
		if err != nil {
			return Item{}, err
		}
		before, found, err := s.findItem(ctx, tx, owner, in)
		if err != nil {
			return Item{}, err
		}
		if created = !found; created {
			before = fresh
			before.AccountID = owner.ID
		}
		return s.changeItem(ctx, tx, owner, before, in, created)
	})
	return i, created && err == nil, err
}

func (s *Service) newItem() (Item, error) {
	id, err := s.newID()
	if err != nil {
		return Item{}, affiliate.Unavailable(err)
	}
	now := s.clock.Now()
	return Item{ID: id, CreatedAt: now, UpdatedAt: now}, nil
}

// findItem returns the item that an input is about, if there is one.
func (s *Service) findItem(ctx context.Context, tx Tx, owner Account, in ItemInput) (Item, bool, error) {
	if in.ID != "" {
		i, err := s.itemByID(ctx, tx, in.ID)
		return i, err == nil, err
	}
	if reference := in.ReferenceID.given(); reference != "" {
		i, err := tx.InventoryItems().ByReference(ctx, owner.ID, reference)
		if !errors.Is(err, affiliate.ErrNotFound) {
			return i, err == nil, err
		}
	}
	fingerprint := Fingerprint(owner.FingerprintKey, in.Brand.given(), in.Model.given(), in.Year.given(), in.ReferenceID.given())
	i, err := tx.InventoryItems().ByFingerprint(ctx, owner.ID, fingerprint)
	if errors.Is(err, affiliate.ErrNotFound) {
		return Item{}, false, nil
	}
	return i, err == nil, err
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
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Item, error) {
		before, err := s.itemBy(ctx, tx, key)
		if err != nil {
			return Item{}, err
		}
		owner, err := s.accountOf(ctx, tx, before.AccountID)
		if err == nil {
			err = sameID("item", before.ID, key, in.ID)
		}
		if err != nil {
			return Item{}, err
		}
		return s.changeItem(ctx, tx, owner, before, in, false)
	})
}

// sameID refuses an input whose id is neither that of the record nor the key
// that it was found by.
func sameID(resource string, id uuid.UUID, key, sent string) error {
	if sent == "" || sent == key || strings.EqualFold(sent, id.String()) {
		return nil
	}
	return affiliate.Conflict(resource, "id_mismatch", "The body names another id than the path.")
}

// changeItem brings an input into an item and keeps it, with the ads that
// templates make of it.
func (s *Service) changeItem(ctx context.Context, tx Tx, owner Account, before Item, in ItemInput, creating bool) (Item, error) {
	now := s.clock.Now()
	i := before
	c := changes{creating: creating}
	required(&c, "ad_template_type", &i.AdTemplateType, in.AdTemplateType)
	required(&c, "available", &i.Available, in.Available)
	required(&c, "content_language", &i.ContentLanguage, in.ContentLanguage)
	optional(&i.ReferenceID, in.ReferenceID)
	optional(&i.Brand, in.Brand)
	optional(&i.Model, in.Model)
	optional(&i.Year, in.Year)
	optional(&i.Condition, in.Condition)
	optional(&i.Title, in.Title)
	optional(&i.Description, in.Description)
	optional(&i.Link, in.Link)
	optional(&i.Images, in.Images)
	optional(&i.CustomAttributes, in.CustomAttributes)
	optional(&i.Price, in.Price)
	switch {
	case i.Available:
		i.SoldOutAt = time.Time{}
	case i.SoldOutAt.IsZero():
		i.SoldOutAt = now
	}
	c.bad.Check(i.ContentLanguage == "" || slices.Contains(s.languages, i.ContentLanguage), "content_language", "invalid", listed(s.languages))
	if err := c.err("item", i.Validate()); err != nil {
		return Item{}, err
	}
	i.Fingerprint = Fingerprint(owner.FingerprintKey, i.Brand, i.Model, i.Year, i.ReferenceID)
	if !creating && reflect.DeepEqual(i, before) {
		return i, nil
	}
	i.UpdatedAt = now
	if err := tx.InventoryItems().Put(ctx, i); err != nil {
		return Item{}, err
	}
	if err := tx.Events().Add(ctx, recordEvent(EventItemSaved, i.ID, owner.ID, "", now)); err != nil {
		return Item{}, err
	}
	if err := s.followItem(ctx, tx, owner, i, now); err != nil {
		return Item{}, err
	}
	if owner.Test {
		return i, nil
	}
	catalogs, err := tx.AdAccounts().List(ctx, AdAccountFilter{AccountID: owner.ID, Connected: affiliate.Some(true), WithCatalog: true}, Cursor{}, MaxPageSize)
	if err != nil {
		return Item{}, err
	}
	var jobs []Job
	for _, a := range catalogs {
		jobs = append(jobs, itemJob(i, a.ID))
	}
	return i, enqueue(ctx, tx, owner, now, jobs...)
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

// followItem brings the autogenerated ads of an item in step with it: an
// available item has an ad of each template of its type, and every other ad of
// the item is held.
func (s *Service) followItem(ctx context.Context, tx Tx, owner Account, i Item, now time.Time) error {
	var templates []Template
	if i.Available {
		var err error
		if templates, err = tx.AdTemplates().ByAccount(ctx, owner.ID, i.AdTemplateType); err != nil {
			return err
		}
	}
	have, err := tx.Ads().ByItems(ctx, []uuid.UUID{i.ID})
	if err != nil || len(have) == 0 && len(templates) == 0 {
		return err
	}
	adSets, err := adSetsOf(ctx, tx, templates)
	if err != nil {
		return err
	}
	var changed []Ad
	for _, t := range templates {
		n := slices.IndexFunc(have, func(a Ad) bool { return a.TemplateID == t.ID })
		var before Ad
		if n >= 0 {
			before = have[n]
		}
		a, err := s.autogenerated(t, adSets[t.AdSetID], i, before, now)
		if err != nil {
			return unfillable(i, err)
		}
		if a != before {
			changed = append(changed, a)
		}
	}
	for _, a := range have {
		if !slices.ContainsFunc(templates, func(t Template) bool { return t.ID == a.TemplateID }) {
			if held := hold(a, now); held != a {
				changed = append(changed, held)
			}
		}
	}
	return putAds(ctx, tx, owner, changed, now)
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
