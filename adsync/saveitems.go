package adsync

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxItemInputs bounds the inputs of one SaveItems.
const MaxItemInputs = 1000

// ItemResult is what became of one input of SaveItems.
type ItemResult struct {
	Item    Item
	Created bool  // the item was added
	Err     error // why the input was refused; nothing of it was saved
}

// SaveItems saves many items in one unit, as a feed of a shop has them, and
// returns a result for each input, in their order. Each input is found and saved
// as by SaveItem, and sees what the inputs before it have changed. An input that
// is refused leaves the others alone. The error is one of the whole: nothing was
// saved then. ErrInvalid when there are more than MaxItemInputs.
func (s *Service) SaveItems(ctx context.Context, inputs []ItemInput) ([]ItemResult, error) {
	if err := s.admit(); err != nil {
		return nil, err
	}
	if len(inputs) > MaxItemInputs {
		return nil, affiliate.Invalid("item", affiliate.FieldError{
			Field: "items", Code: "too_many", Message: "must be at most " + strconv.Itoa(MaxItemInputs) + "; save the others by another call",
		})
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) ([]ItemResult, error) {
		owner, err := s.owner(ctx, tx)
		if err != nil {
			return nil, err
		}
		w, err := s.saveItems(ctx, tx, owner, inputs...)
		if err != nil {
			return nil, err
		}
		results := make([]ItemResult, len(inputs))
		for n, in := range inputs {
			if results[n], err = w.save(ctx, in); err != nil {
				return nil, err
			}
		}
		return results, w.keep(ctx)
	})
}

// itemWriter saves items in one unit: it reads for all inputs at once, decides
// about one after the other, and then keeps everything at once. What it has
// decided counts for the inputs that follow, although it is not kept yet.
type itemWriter struct {
	s     *Service
	tx    Tx
	owner Account
	now   time.Time

	items map[uuid.UUID]Item // what the inputs name, as it is now
	// kept are the reference ids that items have in the store.
	kept map[uuid.UUID]string
	// The items that have or had a reference id or a fingerprint.
	byReference   map[string][]uuid.UUID
	byFingerprint map[string][]uuid.UUID

	// What is read when an item has changed.
	followed  bool
	templates []Template
	adSets    map[uuid.UUID]AdSet
	ads       map[uuid.UUID][]Ad // by item
	catalogs  []AdAccount

	changed    map[uuid.UUID]bool // items to be kept
	changedAds map[uuid.UUID]bool
	events     []affiliate.Event
}

// saveItems reads the items that inputs of an account may be about.
func (s *Service) saveItems(ctx context.Context, tx Tx, owner Account, inputs ...ItemInput) (*itemWriter, error) {
	w := &itemWriter{
		s: s, tx: tx, owner: owner, now: s.clock.Now(), items: map[uuid.UUID]Item{}, kept: map[uuid.UUID]string{}, byReference: map[string][]uuid.UUID{}, byFingerprint: map[string][]uuid.UUID{},
		ads: map[uuid.UUID][]Ad{}, changed: map[uuid.UUID]bool{}, changedAds: map[uuid.UUID]bool{},
	}
	var k ItemKeys
	for _, in := range inputs {
		if id, ok := parseID(in.ID); ok {
			k.IDs = append(k.IDs, id)
		}
		// An item with the fingerprint of an input has its reference id too, so that
		// the fingerprint tells nothing where there is one.
		if reference := in.ReferenceID.given(); reference != "" {
			k.ReferenceIDs = append(k.ReferenceIDs, reference)
		} else if f := w.fingerprintOf(in); f != "" && in.ID == "" {
			k.Fingerprints = append(k.Fingerprints, f)
		}
	}
	if len(k.IDs)+len(k.ReferenceIDs)+len(k.Fingerprints) == 0 {
		return w, nil
	}
	found, err := tx.InventoryItems().Among(ctx, owner.ID, k)
	for _, i := range found {
		w.know(i)
		w.kept[i.ID] = i.ReferenceID
	}
	return w, err
}

// fingerprintOf returns the fingerprint of what an input says.
func (w *itemWriter) fingerprintOf(in ItemInput) string {
	return Fingerprint(w.owner.FingerprintKey, in.Brand.given(), in.Model.given(), in.Year.given(), in.ReferenceID.given())
}

// know notes an item as it is now.
func (w *itemWriter) know(i Item) {
	w.items[i.ID] = i
	if i.ReferenceID != "" {
		w.byReference[i.ReferenceID] = append(w.byReference[i.ReferenceID], i.ID)
	}
	if i.Fingerprint != "" {
		w.byFingerprint[i.Fingerprint] = append(w.byFingerprint[i.Fingerprint], i.ID)
	}
}

// find returns the item that an input is about, if there is one.
func (w *itemWriter) find(in ItemInput) (Item, bool, error) {
	if in.ID != "" {
		id, _ := parseID(in.ID)
		i, ok := w.items[id]
		if !ok {
			return Item{}, false, affiliate.NotFound("item", in.ID)
		}
		return i, true, nil
	}
	if i, ok := w.referenced(in.ReferenceID.given()); ok {
		return i, true, nil
	}
	f := w.fingerprintOf(in)
	i, ok := w.first(w.byFingerprint[f], func(i Item) bool { return i.Fingerprint == f })
	return i, ok, nil
}

// referenced returns the item that has a reference id now.
func (w *itemWriter) referenced(reference string) (Item, bool) {
	return w.first(w.byReference[reference], func(i Item) bool { return i.ReferenceID == reference })
}

// first returns the item that was created first of those that are so now.
func (w *itemWriter) first(ids []uuid.UUID, is func(Item) bool) (first Item, found bool) {
	for _, id := range ids {
		i := w.items[id]
		if is(i) && (!found || comparePlaces(placeOfItem(i), placeOfItem(first)) < 0) {
			first, found = i, true
		}
	}
	return first, found
}

func comparePlaces(a, b Cursor) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.ID[:], b.ID[:]))
}

// save decides about an input. The error is one of the unit.
func (w *itemWriter) save(ctx context.Context, in ItemInput) (ItemResult, error) {
	before, found, err := w.find(in)
	if err != nil {
		return ItemResult{Err: err}, nil
	}
	if !found {
		id, err := w.s.newID()
		if err != nil {
			return ItemResult{}, affiliate.Unavailable(err)
		}
		before = Item{ID: id, AccountID: w.owner.ID, CreatedAt: w.now, UpdatedAt: w.now}
	}
	r, err := w.change(ctx, before, in, !found)
	r.Created = !found && r.Err == nil
	return r, err
}

// change brings an input into an item, with the ads that templates make of it.
// The error is one of the unit.
func (w *itemWriter) change(ctx context.Context, before Item, in ItemInput, creating bool) (ItemResult, error) {
	i, err := w.s.revise(w.owner, before, in, creating, w.now)
	if err != nil {
		return ItemResult{Err: err}, nil
	}
	if !creating && reflect.DeepEqual(i, before) {
		return ItemResult{Item: i}, nil
	}
	if other, taken := w.referenced(i.ReferenceID); taken && other.ID != i.ID {
		e := affiliate.Conflict("item", "taken", "")
		e.Fields = []affiliate.FieldError{{Field: "reference_id", Code: "taken", Message: "is taken already"}}
		return ItemResult{Err: e}, nil
	}
	i.UpdatedAt = w.now
	if err := w.follow(ctx); err != nil {
		return ItemResult{}, err
	}
	ads, err := w.adsOf(i)
	if errors.Is(err, affiliate.ErrInvalid) {
		return ItemResult{Err: err}, nil
	}
	if err != nil {
		return ItemResult{}, err
	}
	w.know(i)
	w.changed[i.ID] = true
	w.events = append(w.events, recordEvent(EventItemSaved, i.ID, w.owner.ID, "", w.now))
	for _, a := range ads {
		have := w.ads[i.ID]
		if n := slices.IndexFunc(have, func(o Ad) bool { return o.ID == a.ID }); n >= 0 {
			have[n] = a
		} else {
			w.ads[i.ID] = append(have, a)
		}
		w.changedAds[a.ID] = true
	}
	w.events = append(w.events, adEvents(ads, w.now)...)
	return ItemResult{Item: i}, nil
}

// revise returns an item with an input brought into it.
func (s *Service) revise(owner Account, i Item, in ItemInput, creating bool, now time.Time) (Item, error) {
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
	return i, nil
}

// follow reads, for all items at once, what changed ones are advertised by.
func (w *itemWriter) follow(ctx context.Context) error {
	if w.followed {
		return nil
	}
	w.followed = true
	var err error
	if w.templates, err = w.tx.AdTemplates().ByAccount(ctx, w.owner.ID, ""); err != nil {
		return err
	}
	if w.adSets, err = adSetsOf(ctx, w.tx, w.templates); err != nil {
		return err
	}
	if len(w.items) > 0 && len(w.templates) > 0 { // the ads of a template go with it
		ids := make([]uuid.UUID, 0, len(w.items))
		for id := range w.items {
			ids = append(ids, id)
		}
		found, err := w.tx.Ads().ByItems(ctx, ids)
		if err != nil {
			return err
		}
		for _, a := range found {
			w.ads[a.ItemID] = append(w.ads[a.ItemID], a)
		}
	}
	if w.owner.Test {
		return nil
	}
	w.catalogs, err = w.tx.AdAccounts().List(ctx, AdAccountFilter{AccountID: w.owner.ID, Connected: affiliate.Some(true), WithCatalog: true}, Cursor{}, MaxPageSize)
	return err
}

// adsOf returns the autogenerated ads of an item that are not in step with it:
// an available item has an ad of each template of its type, and every other ad of
// the item is held.
func (w *itemWriter) adsOf(i Item) ([]Ad, error) {
	made := func(t Template) bool { return i.Available && t.AdTemplateType == i.AdTemplateType }
	have := w.ads[i.ID]
	var changed []Ad
	for _, t := range w.templates {
		if !made(t) {
			continue
		}
		var before Ad
		if n := slices.IndexFunc(have, func(a Ad) bool { return a.TemplateID == t.ID }); n >= 0 {
			before = have[n]
		}
		a, err := w.s.autogenerated(t, w.adSets[t.AdSetID], i, before, w.now)
		if err != nil {
			return nil, unfillable(i, err)
		}
		if a != before {
			changed = append(changed, a)
		}
	}
	for _, a := range have {
		if !slices.ContainsFunc(w.templates, func(t Template) bool { return made(t) && t.ID == a.TemplateID }) {
			if held := hold(a, w.now); held != a {
				changed = append(changed, held)
			}
		}
	}
	return changed, nil
}

// keep keeps what has changed, raises the events, and queues the jobs. All
// writers go by ascending id, so that two of them do not wait for each other.
func (w *itemWriter) keep(ctx context.Context) error {
	if len(w.changed) == 0 {
		return nil
	}
	items := make([]Item, 0, len(w.changed))
	for id := range w.changed {
		items = append(items, w.items[id])
	}
	slices.SortFunc(items, func(a, b Item) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	var ads []Ad
	var jobs []Job
	for _, i := range items {
		for _, a := range w.ads[i.ID] {
			if w.changedAds[a.ID] {
				ads = append(ads, a)
			}
		}
		for _, at := range w.catalogs {
			jobs = append(jobs, itemJob(i, at.ID))
		}
	}
	slices.SortFunc(ads, func(a, b Ad) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, a := range ads {
		jobs = append(jobs, adJob(a))
	}
	if released := w.released(items); len(released) > 0 {
		if err := w.tx.InventoryItems().Put(ctx, released...); err != nil {
			return err
		}
	}
	if err := w.tx.InventoryItems().Put(ctx, items...); err != nil {
		return err
	}
	if len(ads) > 0 {
		if err := w.tx.Ads().Put(ctx, ads...); err != nil {
			return err
		}
	}
	if err := w.tx.Events().Add(ctx, w.events...); err != nil {
		return err
	}
	return enqueue(ctx, w.tx, w.owner, w.now, jobs...)
}

// released returns the items, without a reference id, that give theirs to
// another one of the items: they must be kept so first.
func (w *itemWriter) released(items []Item) []Item {
	var out []Item
	for _, i := range items {
		if before := w.kept[i.ID]; before != "" && before != i.ReferenceID {
			if _, taken := w.referenced(before); taken {
				i.ReferenceID = ""
				out = append(out, i)
			}
		}
	}
	return out
}
