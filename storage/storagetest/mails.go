package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
)

type (
	mailingTx    = mailing.Tx
	mailingStore = mailing.Store
)

// RunMailing runs the cases of package mailing on Backend.Mailing.
func RunMailing(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) mailingStore { return open(t).Mailing }, mailingScenarios())
}

func mailingScenarios() []scenario[mailingStore] {
	return slices.Concat(
		writeScenarios[mailingTx](),
		mails().scenarios(),
		[]scenario[mailingStore]{
			{"mails/a key is reserved once", testMailKey},
			{"mails/of writers at once one reserves", testMailRace},
			{"mails/of sweepers at once one has each", testMailSweepers},
			{"mails/sent, counted and removed", testMailCount},
			{"mails/old ones expire", testMailExpire},
		},
	)
}

func sampleMail(n int) mailing.Mail {
	return mailing.Mail{Key: fmt.Sprint("mail ", n), CreatedAt: at(n)}
}

func mails() table[mailingTx, mailing.Mail] {
	type V = mailing.Mail
	return table[mailingTx, V]{
		name:   "mails",
		sample: func(_ world, n int) V { return sampleMail(n) },
		full: func(w world) V {
			return V{Key: "event:7", AdvertiserID: w.advertisers[0].ID, CreatedAt: at(1), SentAt: at(2)}
		},
		timed: true,
		add:   addMail,
		fetch: func(ctx context.Context, tx mailingTx, v V) (V, error) { return tx.Mails().ByKey(ctx, v.Key) },
		id:    func(v *V) *int64 { return &v.ID },
		texts: []text[V]{{"key", 1, 128, func(v *V) *string { return &v.Key }, false}},
		broken: []broken[V]{
			{"created_at", "required", func(v *V) { v.CreatedAt = time.Time{} }},
		},
		references: []reference[V]{{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }}},
	}
}

func addMail(ctx context.Context, tx mailingTx, v mailing.Mail) (mailing.Mail, error) {
	kept, fresh, err := tx.Mails().Reserve(ctx, v)
	if err == nil && !fresh {
		err = fmt.Errorf("the key %q is taken", v.Key)
	}
	return kept, err
}

func testMailKey(t *testing.T, s mailingStore) {
	kept := put(t, s, func(ctx context.Context, tx mailingTx) (mailing.Mail, error) { return addMail(ctx, tx, sampleMail(1)) })
	for _, key := range append(unkeepable(), "", "Mail 1", "mail 2") {
		unreadable(t, s, missing, func(ctx context.Context, tx mailingTx) error { return second(tx.Mails().ByKey(ctx, key)) })
	}
	again := sampleMail(1)
	again.CreatedAt, again.AdvertiserID = at(50), nowhere
	write(t, s, func(ctx context.Context, tx mailingTx) error {
		got, fresh, err := tx.Mails().Reserve(ctx, again)
		if err != nil {
			return err
		}
		equal(t, "reserved again", got, kept)
		equal(t, "fresh", fresh, false)
		return nil
	})
}

func testMailRace(t *testing.T, s mailingStore) {
	fresh := make([]bool, writers)
	together(t, writers, func(i int) error {
		return s.Write(t.Context(), func(ctx context.Context, tx mailingTx) (err error) {
			_, fresh[i], err = tx.Mails().Reserve(ctx, sampleMail(1))
			return err
		})
	})
	won := 0
	for _, f := range fresh {
		if f {
			won++
		}
	}
	equal(t, "fresh ones", won, 1)
}

func testMailCount(t *testing.T, s mailingStore) {
	w := newWorld(t, s)
	of := func(n, advertiser int) mailing.Mail {
		m := sampleMail(n)
		m.AdvertiserID = w.advertisers[advertiser].ID
		return m
	}
	kept := addAll(t, s, addMail, of(1, 0), of(3, 0), of(2, 0), of(2000, 1), sampleMail(4))
	used := func(advertiserID int64, from, until time.Time) int {
		return see(t, s, func(ctx context.Context, tx mailingTx) (int, error) {
			return tx.Mails().Used(ctx, advertiserID, from, until)
		})
	}
	count := func(advertiserID int64, from, until int) int { return used(advertiserID, at(from), at(until)) }
	equal(t, "all of one", count(w.advertisers[0].ID, 0, 10), 3)
	equal(t, "from, inclusive, until, exclusive", count(w.advertisers[0].ID, 2, 3), 1)
	equal(t, "from and until a moment after", used(w.advertisers[0].ID, at(2).Add(1), at(3).Add(1)), 1)
	equal(t, "of another", count(w.advertisers[1].ID, 0, 5000), 1)
	equal(t, "of one without", count(w.advertisers[2].ID, 0, 5000), 0)
	equal(t, "of the operator", count(0, 0, 5000), 1)
	write(t, s, func(ctx context.Context, tx mailingTx) error {
		if err := tx.Mails().Sent(ctx, kept[0].ID, finer(at(9))); err != nil {
			return err
		}
		for _, id := range []int64{kept[1].ID, nowhere, kept[1].ID, 0, -1} {
			if err := tx.Mails().Remove(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
	equal(t, "after one was removed", count(w.advertisers[0].ID, 0, 10), 2)
	refused(t, s, missing, func(ctx context.Context, tx mailingTx) error { return tx.Mails().Sent(ctx, kept[1].ID, at(9)) })
	write(t, s, func(ctx context.Context, tx mailingTx) error {
		got, _, err := tx.Mails().Reserve(ctx, sampleMail(1))
		if err != nil {
			return err
		}
		equal(t, "sent at", got.SentAt, at(9))
		return nil
	})
}

func testMailExpire(t *testing.T, s mailingStore) {
	addAll(t, s, addMail, sampleMail(1), sampleMail(5), sampleMail(2), sampleMail(3))
	expireAt := func(before time.Time, limit int) int {
		return put(t, s, func(ctx context.Context, tx mailingTx) (int, error) { return tx.Mails().Expire(ctx, before, limit) })
	}
	expire := func(before, limit int) int { return expireAt(at(before), limit) }
	equal(t, "expired, none", expire(1, 10), 0)
	equal(t, "expired, of no limit", expire(4, 0), 0)
	equal(t, "expired, of a limit", expire(4, 2), 2)
	equal(t, "expired, a moment after", expireAt(at(3).Add(1), 10), 1)
	equal(t, "left", see(t, s, func(ctx context.Context, tx mailingTx) (int, error) { return tx.Mails().Used(ctx, 0, at(0), at(10)) }), 1)
}
