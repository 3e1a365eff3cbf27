package mailing

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Mail is what is kept of an e-mail: that it was sent, for whom it counts, and
// nothing of what was in it.
type Mail struct {
	ID           int64
	Key          string    // what it is about, 1..128 characters; unique
	AdvertiserID int64     // whose quota it counts for; 0: the operator's, without quota
	CreatedAt    time.Time // when it was reserved
	SentAt       time.Time // zero: reserved and not sent yet
}

// Validate checks what every backend refuses.
func (m Mail) Validate() error {
	var v affiliate.Validation
	v.Text("key", m.Key, 1, 128)
	v.Check(!m.CreatedAt.IsZero(), "created_at", "required", "is required")
	return v.Err("mail")
}
