package adsync

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// AccountInput describes an account.
type AccountInput struct {
	ID   string // the Subject of its principal
	Name string
	Test bool // its records never reach a service
	// FingerprintKey is the key of its items' fingerprints; a new random one if
	// it is zero. It counts only when the account is new.
	FingerprintKey [32]byte
}

// RegisterAccount adds an account, or changes the name of the one with the id.
// Whether an account is for tests never changes: ErrConflict "test_account".
// Only the operator may do it.
func (s *Service) RegisterAccount(ctx context.Context, in AccountInput) (Account, error) {
	if err := s.admitOperator(); err != nil {
		return Account{}, err
	}
	a := Account{ID: in.ID, Name: in.Name, Test: in.Test, FingerprintKey: in.FingerprintKey, CreatedAt: s.clock.Now()}
	if a.FingerprintKey == [32]byte{} {
		if _, err := io.ReadFull(s.random, a.FingerprintKey[:]); err != nil {
			return Account{}, affiliate.Unavailable(err)
		}
	}
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Account, error) {
		kept, err := tx.SyncAccounts().Get(ctx, a.ID)
		switch {
		case errors.Is(err, affiliate.ErrNotFound):
			return a, saveAccount(ctx, tx, a, s.clock.Now())
		case err != nil:
			return kept, err
		case kept.Test != a.Test:
			return kept, affiliate.Conflict("sync_account", "test_account", "A test account stays one, and so does a live one.")
		case kept.Name == a.Name:
			return kept, nil
		}
		kept.Name = a.Name
		return kept, saveAccount(ctx, tx, kept, s.clock.Now())
	})
}

// saveAccount keeps an account with its event.
func saveAccount(ctx context.Context, tx Tx, a Account, now time.Time) error {
	if err := tx.SyncAccounts().Put(ctx, a); err != nil {
		return err
	}
	return tx.Events().Add(ctx, EventAccountSaved.On(a.ID, now))
}

// Account returns an account; ErrNotFound for one that the viewer may not see.
func (s *Service) Account(ctx context.Context, id string) (Account, error) {
	if err := s.admit(); err != nil {
		return Account{}, err
	}
	if !s.sees(id) {
		return Account{}, affiliate.NotFound("sync_account", id)
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Account, error) { return tx.SyncAccounts().Get(ctx, id) })
}

// AdAccountInput describes an ad account to connect.
type AdAccountInput struct {
	ID        string // the service's own: "act_…" or ten digits
	Name      string
	CatalogID string // where items go; empty: nowhere
}

// ConnectAdAccount connects an ad account to the viewer's account, connects one
// again, or changes the name or catalog of one. Only the operator may do it, for
// an account: s.ForAccount(id).ConnectAdAccount(…). One that was not connected,
// or has another catalog now, has all of its records queued.
func (s *Service) ConnectAdAccount(ctx context.Context, in AdAccountInput) (AdAccount, error) {
	if err := s.admitOperator(); err != nil {
		return AdAccount{}, err
	}
	id, err := s.newID()
	if err != nil {
		return AdAccount{}, affiliate.Unavailable(err)
	}
	now := s.clock.Now()
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (AdAccount, error) {
		owner, err := s.owner(ctx, tx)
		if err != nil {
			return AdAccount{}, err
		}
		before, err := tx.AdAccounts().Get(ctx, owner.ID, in.ID)
		known := err == nil
		if err != nil && !errors.Is(err, affiliate.ErrNotFound) {
			return before, err
		}
		a := AdAccount{RecordID: id, ID: in.ID, AccountID: owner.ID, Name: in.Name, CatalogID: in.CatalogID, CreatedAt: now}
		if known {
			a.RecordID, a.CreatedAt = before.RecordID, before.CreatedAt
		}
		if known && a == before {
			return a, nil
		}
		if err := tx.AdAccounts().Put(ctx, a); err != nil {
			return a, err
		}
		if err := tx.Events().Add(ctx, recordEvent(EventConnected, a.RecordID, owner.ID, "", now)); err != nil {
			return a, err
		}
		if known && before.Connected() && before.CatalogID == a.CatalogID {
			return a, nil
		}
		return a, queueAll(ctx, tx, owner, a, now)
	})
}

// DisconnectAdAccount takes an ad account out of the lists and out of sync. Its
// campaigns stay as they are; their jobs park until it is connected again.
// ErrNotFound for one that is not connected. Only the operator may do it.
func (s *Service) DisconnectAdAccount(ctx context.Context, id string) error {
	if err := s.admitOperator(); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		owner, err := s.owner(ctx, tx)
		if err != nil {
			return err
		}
		a, err := connected(ctx, tx, owner.ID, id)
		if err != nil {
			return err
		}
		a.DisconnectedAt = now
		if err := tx.AdAccounts().Put(ctx, a); err != nil {
			return err
		}
		return tx.Events().Add(ctx, recordEvent(EventDisconnected, a.RecordID, owner.ID, "", now))
	})
}

// connected returns an ad account that is connected.
func connected(ctx context.Context, tx Tx, accountID, id string) (AdAccount, error) {
	a, err := tx.AdAccounts().Get(ctx, accountID, id)
	if err == nil && !a.Connected() {
		return AdAccount{}, affiliate.NotFound("ad_account", id)
	}
	return a, err
}

// AdAccounts returns the connected ad accounts that the viewer sees
// (ad-account-index).
func (s *Service) AdAccounts(ctx context.Context, f AdAccountFilter, p PageRequest) (Page[AdAccount], error) {
	if err := s.admit(); err != nil {
		return Page[AdAccount]{}, err
	}
	if err := checkFilter("service", f.Service, AdServices()); err != nil {
		return Page[AdAccount]{}, err
	}
	f.AccountID, f.Connected = s.who.account, affiliate.Some(true)
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Page[AdAccount], error) {
		return page(p, func(a AdAccount) Cursor { return Cursor{a.CreatedAt, a.RecordID} },
			func(after Cursor, limit int) ([]AdAccount, error) { return tx.AdAccounts().List(ctx, f, after, limit) })
	})
}

// checkFilter refuses a value that no record has.
func checkFilter[T ~string](name string, value T, all []T) error {
	var v affiliate.Validation
	v.Check(value == "" || oneOf(value, all), "filter."+name, "invalid", listed(all))
	return v.Err("filter")
}

// Requeue queues every record of an ad account that is connected again, whether
// it changed or not. Only the operator may do it, for an account.
func (s *Service) Requeue(ctx context.Context, adAccountID string) error {
	if err := s.admitOperator(); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		owner, err := s.owner(ctx, tx)
		if err != nil {
			return err
		}
		a, err := connected(ctx, tx, owner.ID, adAccountID)
		if err != nil {
			return err
		}
		return queueAll(ctx, tx, owner, a, now)
	})
}

// queueAll queues the records that are synced through an ad account.
func queueAll(ctx context.Context, tx Tx, owner Account, a AdAccount, at time.Time) error {
	if owner.Test {
		return nil
	}
	if a.CatalogID != "" {
		err := each(ctx, func(after Cursor) ([]Item, error) {
			return tx.InventoryItems().List(ctx, ItemFilter{AccountID: owner.ID}, after, batchSize)
		}, func(i Item) (Cursor, Job) { return placeOfItem(i), itemJob(i, a.ID) }, tx, at)
		if err != nil {
			return err
		}
	}
	err := each(ctx, func(after Cursor) ([]Campaign, error) {
		return tx.SyncCampaigns().List(ctx, CampaignFilter{AccountID: owner.ID, AdAccountID: a.ID}, after, batchSize)
	}, func(c Campaign) (Cursor, Job) { return Cursor{c.CreatedAt, c.ID}, campaignJob(c) }, tx, at)
	if err != nil {
		return err
	}
	err = each(ctx, func(after Cursor) ([]AdSet, error) {
		return tx.AdSets().List(ctx, AdSetFilter{AccountID: owner.ID, AdAccountID: a.ID}, after, batchSize)
	}, func(s AdSet) (Cursor, Job) { return Cursor{s.CreatedAt, s.ID}, adSetJob(s) }, tx, at)
	if err != nil {
		return err
	}
	return each(ctx, func(after Cursor) ([]Ad, error) {
		return tx.Ads().List(ctx, AdFilter{AccountID: owner.ID, AdAccountID: a.ID}, after, batchSize)
	}, func(ad Ad) (Cursor, Job) { return Cursor{ad.CreatedAt, ad.ID}, adJob(ad) }, tx, at)
}

// batchSize is how many records a unit holds in memory while it goes through all.
const batchSize = 500

// each queues a job for every value of a list, a batch at a time.
func each[T any](ctx context.Context, list func(after Cursor) ([]T, error), job func(T) (Cursor, Job), tx Tx, at time.Time) error {
	var after Cursor
	for {
		values, err := list(after)
		if err != nil || len(values) == 0 {
			return err
		}
		jobs := make([]Job, len(values))
		for n, v := range values {
			after, jobs[n] = job(v)
		}
		if err := tx.SyncJobs().Enqueue(ctx, at, jobs...); err != nil {
			return err
		}
	}
}

func placeOfItem(i Item) Cursor { return Cursor{i.CreatedAt, i.ID} }

func itemJob(i Item, adAccountID string) Job {
	return Job{AccountID: i.AccountID, AdAccountID: adAccountID, Kind: KindItem, RecordID: i.ID}
}

func campaignJob(c Campaign) Job {
	return Job{AccountID: c.AccountID, AdAccountID: c.AdAccountID, Kind: KindCampaign, RecordID: c.ID}
}

func adSetJob(s AdSet) Job {
	return Job{AccountID: s.AccountID, AdAccountID: s.AdAccountID, Kind: KindAdSet, RecordID: s.ID, ParentID: s.CampaignID}
}

func adJob(a Ad) Job {
	return Job{AccountID: a.AccountID, AdAccountID: a.AdAccountID, Kind: KindAd, RecordID: a.ID, ParentID: a.AdSetID}
}

// Jobs returns jobs that the viewer sees, by id.
func (s *Service) Jobs(ctx context.Context, f JobFilter, p affiliate.PageRequest) (affiliate.Page[Job], error) {
	if err := s.admit(); err != nil {
		return affiliate.Page[Job]{}, err
	}
	if s.who.account != "" {
		f.AccountID = s.who.account
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Job], error) { return tx.SyncJobs().List(ctx, f, p) })
}

// RequeueJobs makes parked jobs queued, due at once, and returns how many were
// parked. Only the operator may do it.
func (s *Service) RequeueJobs(ctx context.Context, ids []int64) (int, error) {
	if err := s.admitOperator(); err != nil {
		return 0, err
	}
	now := s.clock.Now()
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (int, error) { return tx.SyncJobs().Requeue(ctx, now, ids) })
}
