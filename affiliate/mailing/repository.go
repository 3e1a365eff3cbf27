package mailing

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the mails and the repositories of the core, within one unit of work.
// What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	Mails() MailRepository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// MailRepository keeps mails. Key is unique.
type MailRepository interface {
	// Reserve adds the mail and returns it with true. When the key is taken, it
	// returns the mail that has it, with false, whatever m refers to.
	Reserve(ctx context.Context, m Mail) (Mail, bool, error)
	// Sent sets when the mail was sent. ErrNotFound when there is none.
	Sent(ctx context.Context, id int64, at time.Time) error
	// ByKey is ErrNotFound when no mail has the key.
	ByKey(ctx context.Context, key string) (Mail, error)
	// Used returns how many mails of the advertiser were reserved from an
	// instant until before another.
	Used(ctx context.Context, advertiserID int64, from, until time.Time) (int, error)
	// Remove takes a mail out. It changes nothing when there is none.
	Remove(ctx context.Context, id int64) error
	// Expire takes out at most limit mails that were reserved before an instant,
	// the oldest ids first, and returns how many.
	Expire(ctx context.Context, before time.Time, limit int) (int, error)
}
