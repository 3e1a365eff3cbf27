package adsync

import (
	"context"
	"errors"
	"maps"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// remoteKey names a record at an ad account.
type remoteKey struct {
	adAccount string
	record    uuid.UUID
}

func keyOf(j Job) remoteKey { return remoteKey{j.AdAccountID, j.RecordID} }

// loaded is what jobs are about, as it is now.
type loaded struct {
	accounts   map[string]Account
	adAccounts map[[2]string]AdAccount // by account and id
	items      map[uuid.UUID]Item
	campaigns  map[uuid.UUID]Campaign
	adSets     map[uuid.UUID]AdSet
	ads        map[uuid.UUID]Ad
	remotes    map[remoteKey]Remote
}

// load reads what jobs are about: each kind of record with one query.
func load(ctx context.Context, tx Tx, jobs []Job) (*loaded, error) {
	l := &loaded{
		accounts: map[string]Account{}, adAccounts: map[[2]string]AdAccount{}, items: map[uuid.UUID]Item{}, campaigns: map[uuid.UUID]Campaign{},
		adSets: map[uuid.UUID]AdSet{}, ads: map[uuid.UUID]Ad{}, remotes: map[remoteKey]Remote{},
	}
	ids := map[Kind][]uuid.UUID{}
	remotes := map[string][]uuid.UUID{}
	for _, j := range jobs {
		ids[j.Kind] = append(ids[j.Kind], j.RecordID)
		remotes[j.AdAccountID] = append(remotes[j.AdAccountID], j.RecordID)
		if j.ParentID != uuid.Nil {
			remotes[j.AdAccountID] = append(remotes[j.AdAccountID], j.ParentID)
		}
		switch j.Kind { // parents come with their children
		case KindAdSet:
			ids[KindCampaign] = append(ids[KindCampaign], j.ParentID)
		case KindAd:
			ids[KindAdSet] = append(ids[KindAdSet], j.ParentID)
		}
		if err := l.account(ctx, tx, j); err != nil {
			return nil, err
		}
	}
	err := errors.Join(
		keep(ctx, l.items, ids[KindItem], tx.InventoryItems().GetMany, func(i Item) uuid.UUID { return i.ID }),
		keep(ctx, l.campaigns, ids[KindCampaign], tx.SyncCampaigns().GetMany, func(c Campaign) uuid.UUID { return c.ID }),
		keep(ctx, l.adSets, ids[KindAdSet], tx.AdSets().GetMany, func(s AdSet) uuid.UUID { return s.ID }),
		keep(ctx, l.ads, ids[KindAd], tx.Ads().GetMany, func(a Ad) uuid.UUID { return a.ID }),
	)
	if err != nil {
		return nil, first(err)
	}
	for at, records := range remotes {
		found, err := tx.Remotes().GetMany(ctx, at, records)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			l.remotes[remoteKey{at, r.RecordID}] = r
		}
	}
	return l, nil
}

// account reads the account and the ad account of a job, each once.
func (l *loaded) account(ctx context.Context, tx Tx, j Job) error {
	if _, ok := l.accounts[j.AccountID]; !ok {
		a, err := tx.SyncAccounts().Get(ctx, j.AccountID)
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		l.accounts[j.AccountID] = a
	}
	at := [2]string{j.AccountID, j.AdAccountID}
	if _, ok := l.adAccounts[at]; !ok {
		a, err := tx.AdAccounts().Get(ctx, j.AccountID, j.AdAccountID)
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		l.adAccounts[at] = a
	}
	return nil
}

func keep[R any](ctx context.Context, into map[uuid.UUID]R, ids []uuid.UUID, get func(context.Context, []uuid.UUID) ([]R, error), id func(R) uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	found, err := get(ctx, ids)
	for _, r := range found {
		into[id(r)] = r
	}
	return err
}

// target returns the record of a job; false when there is none.
func (l *loaded) target(j Job) (Target, bool) {
	t := Target{
		Account: l.accounts[j.AccountID], AdAccount: l.adAccounts[[2]string{j.AccountID, j.AdAccountID}], Kind: j.Kind, Marker: Marker(j.RecordID),
	}
	var ok bool
	switch j.Kind {
	case KindItem:
		t.Item, ok = l.items[j.RecordID]
	case KindCampaign:
		t.Campaign, ok = l.campaigns[j.RecordID]
	case KindAdSet:
		t.AdSet, ok = l.adSets[j.RecordID]
		t.Campaign = l.campaigns[t.AdSet.CampaignID]
	case KindAd:
		t.Ad, ok = l.ads[j.RecordID]
		t.AdSet = l.adSets[t.Ad.AdSetID]
	}
	return t, ok
}

// decide says what is to be done about the record of a job. It is the one place
// that does: workers, plans and dry runs ask it.
func (e *Engine) decide(l *loaded, j Job, d Driver) step {
	t, ok := l.target(j)
	s := step{target: t, parent: l.remotes[remoteKey{j.AdAccountID, j.ParentID}].RemoteID}
	r, known := l.remotes[keyOf(j)]
	switch {
	case !ok, t.Account.Test, t.AdAccount.ID == "":
		return s // nothing that may be at a service
	case !t.AdAccount.Connected():
		s.reason, s.detail = ReasonDisconnected, "The ad account is not connected. Connect it again to go on."
		return s
	case d == nil:
		s.reason, s.detail = ReasonNoDriver, "There is no driver for "+string(ServiceOf(j.AdAccountID))+"."
		return s
	case j.Kind == KindItem && t.AdAccount.CatalogID == "":
		return s
	}
	op := &Operation{Kind: j.Kind, RecordID: j.RecordID, Marker: t.Marker, RemoteID: r.RemoteID, ParentID: s.parent, Repeated: !r.SentAt.IsZero()}
	applied, err := ParseFields(r.Applied)
	if err != nil { // not the library's writing: send all of it again
		applied = Fields{}
	}
	if r.Handle != "" {
		s.asked(op, r, d, t)
		return s
	}
	if t.State() == Removed {
		if known {
			op.Action, op.Fields = Remove, applied
			s.op = op
		}
		return s
	}
	s.desired, err = d.Object(t)
	if err != nil && !s.incomplete(err, t, r) {
		return s
	}
	s.desired = s.desired.compact()
	if err != nil { // what is missing here is not to be taken away there
		kept := maps.Clone(applied)
		maps.Copy(kept, s.desired)
		s.desired = kept
	}
	switch {
	case utf8.RuneCountInString(s.desired.Encode()) > MaxApplied:
		s.reason, s.detail = ReasonTooLarge, "The record is too large for the service."
		return s
	case r.RemoteID == "" && j.ParentID != uuid.Nil && s.parent == "":
		s.reason, s.detail, s.wait = ReasonParentNotSynced, "Its parent is not at the service yet.", parentPoll
		return s
	case r.RemoteID == "":
		op.Action, op.Changes = Create, Diff(nil, s.desired)
	case op.Repeated:
		op.Action, op.Changes = Update, again(applied, s.desired)
	default:
		op.Action, op.Changes = Update, Diff(applied, s.desired)
	}
	if op.Action == Update && len(op.Changes) == 0 {
		return s
	}
	op.Fields = s.desired
	s.op = op
	return s
}

// asked makes the operation that asks what became of an asynchronous one.
func (s *step) asked(op *Operation, r Remote, d Driver, t Target) {
	op.Handle, op.Action = r.Handle, Update
	if r.RemoteID == "" {
		op.Action = Create
	}
	op.Fields, _ = ParseFields(r.Sent) // empty if it is not the library's writing: it is sent again then
	if desired, err := d.Object(t); err == nil {
		s.desired = desired.compact()
	}
	s.op = op
}

// incomplete takes the error of Driver.Object. It reports whether the record can
// still be sent: one that is not active and already at the service is, so that
// it stops there although something is missing.
func (s *step) incomplete(err error, t Target, r Remote) bool {
	var b *Blocked
	if !errors.As(err, &b) {
		b = &Blocked{Reason: CodeInvalid, Detail: err.Error()}
	}
	if t.State() == Paused {
		if r.RemoteID != "" {
			return true
		}
		s.desired = nil
		return false // nothing to do until it is active
	}
	s.reason, s.detail, s.field = b.Reason, b.Detail, b.Field
	s.desired = nil
	return false
}

// again returns all fields as changes: what the service has is not known.
func again(applied, desired Fields) []Change {
	var out []Change
	for _, name := range desired.Names() {
		out = append(out, Change{name, applied[name], desired[name]})
	}
	for _, c := range Diff(applied, desired) {
		if c.After == "" {
			out = append(out, c)
		}
	}
	return out
}
