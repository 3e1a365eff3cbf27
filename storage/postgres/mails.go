package postgres

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
)

// Mailing is the store of package mailing, nil
// when Options.Without has the domain.
func (db *DB) Mailing() mailing.Store {
	if db.lacks(Mailing) {
		return nil
	}
	return view[mailing.Tx]{db, func(u *unit) mailing.Tx { return coreTx{u} }}
}

var _ mailing.Tx = coreTx{}

func (t coreTx) Mails() mailing.MailRepository { return mails(t) }

type mailRow struct {
	bun.BaseModel `bun:"table:affiliate_mails,alias:t"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Key          string    `bun:"key"`
	AdvertiserID int64     `bun:"advertiser_id,nullzero"`
	CreatedAt    time.Time `bun:"created_at"`
	SentAt       time.Time `bun:"sent_at,nullzero"`
}

var mailTable = table[mailing.Mail, mailRow]{
	name: "affiliate_mails", resource: "mail",
	refers: func(r *mailRow) []reference {
		return []reference{ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID)}
	},
	row: func(m mailing.Mail) mailRow {
		return mailRow{ID: m.ID, Key: m.Key, AdvertiserID: m.AdvertiserID, CreatedAt: m.CreatedAt, SentAt: m.SentAt}
	},
	entity: func(r mailRow) mailing.Mail {
		return mailing.Mail{ID: r.ID, Key: r.Key, AdvertiserID: r.AdvertiserID, CreatedAt: utc(r.CreatedAt), SentAt: utc(r.SentAt)}
	},
}

type mails struct{ u *unit }

func (r mails) Reserve(ctx context.Context, m mailing.Mail) (mailing.Mail, bool, error) {
	m.ID = 0
	return addOrGet(ctx, r.u, mailTable, m, mailTable.row(m), "affiliate_mails_key_key", func(q filter) { q.exactly("t.key", m.Key) })
}

func (r mails) ByKey(ctx context.Context, key string) (mailing.Mail, error) {
	return mailTable.one(ctx, r.u, key, func(q filter) { q.exactly("t.key", key) })
}

func (r mails) Sent(ctx context.Context, id int64, at time.Time) error {
	return exec(ctx, r.u, "mail", func(ctx context.Context) error {
		res, err := r.u.tx.ExecContext(ctx, `UPDATE ? SET sent_at = ? WHERE id = ?`, r.u.name(mailTable.name), at, id)
		return foundOne(res, err, "mail", id)
	})
}

func (r mails) Used(ctx context.Context, advertiserID int64, from, until time.Time) (int, error) {
	return read(ctx, r.u, "mail", func(ctx context.Context) (int, error) {
		q := filter{r.u.tx.NewSelect().TableExpr(r.u.from(mailTable.name))}
		if advertiserID == 0 {
			q.Where("t.advertiser_id IS NULL")
		} else {
			q.equal("t.advertiser_id", advertiserID)
		}
		q.Where("t.created_at >= ? AND t.created_at < ?", ceil(from), ceil(until))
		n, err := q.Count(ctx)
		return int(n), err
	})
}

func (r mails) Remove(ctx context.Context, id int64) error {
	return exec(ctx, r.u, "mail", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id = ?`, r.u.name(mailTable.name), id)
		return err
	})
}

func (r mails) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	return change(ctx, r.u, "mail", func(ctx context.Context) (int, error) {
		table := r.u.name(mailTable.name)
		res, err := r.u.tx.ExecContext(ctx, `DELETE FROM ? WHERE id IN (SELECT id FROM ? WHERE created_at < ? ORDER BY id LIMIT ?)`,
			table, table, ceil(before), max(limit, 0))
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		return int(n), err
	})
}
