package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

var _ mailing.Tx = coreTx{}

func (tx coreTx) Mails() mailing.MailRepository { return mails(tx) }

// Mailing is the view for package mailing.
func (db *DB) Mailing() mailing.Store {
	return view[mailing.Tx]{db, func(u *unit) mailing.Tx { return coreTx{u} }}
}

type mailTable struct {
	*engine.Table[mailing.Mail]
	byKey        *engine.Unique[mailing.Mail, string]
	byAdvertiser *engine.Groups[mailing.Mail, int64] // by time
}

func newMailTable(db *DB) mailTable {
	t := engine.NewTable[mailing.Mail](&db.store)
	byTime := func(a, b *mailing.Mail) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
	}
	return mailTable{t,
		engine.NewUnique(t, func(m *mailing.Mail) (string, bool) { return m.Key, true }),
		engine.NewGroups(t, func(m *mailing.Mail) (int64, bool) { return m.AdvertiserID, true }, byTime),
	}
}

func copyMail(id uint32, m *mailing.Mail) mailing.Mail {
	c := *m
	c.ID = int64(id)
	return c
}

type mails struct{ u *unit }

func (r mails) Reserve(ctx context.Context, m mailing.Mail) (mailing.Mail, bool, error) {
	if err := r.u.Change(ctx); err != nil {
		return mailing.Mail{}, false, err
	}
	if err := m.Validate(); err != nil {
		return mailing.Mail{}, false, r.u.Fail(err)
	}
	t := r.u.db.mails
	if id, ok := t.byKey.Find(m.Key); ok {
		return copyMail(id, t.At(id)), false, nil
	}
	var f engine.Refusal
	f.Refers(r.u.db.core.advertisers.KnowsOr0(m.AdvertiserID), "advertiser_id")
	if err := f.Err("mail"); err != nil {
		return mailing.Mail{}, false, r.u.Fail(err)
	}
	m.CreatedAt, m.SentAt = engine.Kept(m.CreatedAt), engine.Kept(m.SentAt)
	id, err := t.Insert(m)
	if err != nil {
		return mailing.Mail{}, false, r.u.Fail(err)
	}
	return copyMail(id, t.At(id)), true, nil
}

func (r mails) ByKey(ctx context.Context, key string) (mailing.Mail, error) {
	if err := r.u.Use(ctx); err != nil {
		return mailing.Mail{}, err
	}
	t := r.u.db.mails
	id, ok := t.byKey.Find(key)
	if !ok {
		return mailing.Mail{}, affiliate.NotFound("mail", key)
	}
	return copyMail(id, t.At(id)), nil
}

func (r mails) Sent(ctx context.Context, id int64, at time.Time) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.mails
	row, ok := t.Find(id)
	if !ok {
		return r.u.Fail(affiliate.NotFound("mail", id))
	}
	t.Touch(row).SentAt = engine.Kept(at)
	return nil
}

func (r mails) Used(ctx context.Context, advertiserID int64, from, until time.Time) (int, error) {
	if err := r.u.Use(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.mails
	ids := t.byAdvertiser.Of(advertiserID)
	n := 0
	for i := len(ids) - 1; i >= 0; i-- { // the newest first: a quota asks for today
		at := t.At(ids[i]).CreatedAt
		if at.Before(from) {
			break
		}
		if at.Before(until) {
			n++
		}
	}
	return n, nil
}

func (r mails) Remove(ctx context.Context, id int64) error {
	if err := r.u.Change(ctx); err != nil {
		return err
	}
	t := r.u.db.mails
	if row, ok := t.Find(id); ok {
		t.Delete(row)
	}
	return nil
}

func (r mails) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := r.u.Change(ctx); err != nil {
		return 0, err
	}
	t := r.u.db.mails
	var old []uint32
	if limit > 0 {
		t.Each(0, func(id uint32) bool {
			if t.At(id).CreatedAt.Before(before) {
				old = append(old, id)
			}
			return len(old) < limit
		})
	}
	for _, id := range old {
		t.Delete(id)
	}
	return len(old), nil
}
