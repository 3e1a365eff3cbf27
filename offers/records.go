package offers

import (
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SharedBudget is an amount that several offers of one advertiser draw on.
// What they have used of it is kept beside: see SharedUsage.
type SharedBudget struct {
	ID           int64
	AdvertiserID int64
	Title        string             // 1..255 characters
	Amount       int64              // minor units, 0..MaxAmount
	Currency     affiliate.Currency // the advertiser's when it was made
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Validate checks what every backend refuses.
func (b SharedBudget) Validate() error {
	var v affiliate.Validation
	v.Text("title", b.Title, 1, 255)
	v.Check(validAmount(b.Amount), "amount", "out_of_range", amountBounds)
	v.Check(b.Currency.Valid(), "currency", "unknown_currency", "must be an ISO 4217 code")
	return v.Err("shared_budget")
}

// Comment is a remark on a participant. Only its author, or an admin, changes it.
type Comment struct {
	ID            int64
	ParticipantID int64
	Text          string // 1..5000 characters
	Author        affiliate.Actor
	AuthorKey     string // the author's affiliate.Principal.Key, which alone tells authors of one name apart; at most 512 characters
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Validate checks what every backend refuses.
func (c Comment) Validate() error {
	var v affiliate.Validation
	v.Text("comment", c.Text, 1, 5000)
	v.Text("author", c.Author.Name, 0, 255)
	v.Text("author_key", c.AuthorKey, 0, 512)
	return v.Err("comment")
}

// Activity is something that happened to a participant.
type Activity struct {
	ID            int64
	ParticipantID int64
	Type          string // "status", "comment", "payment"; 1..64 characters
	Actor         affiliate.Actor
	From, To      string // what changed, such as the two states; each at most 255 characters
	CreatedAt     time.Time
	ReadAt        time.Time // zero: unread
}

// The types of activities.
const (
	ActivityStatus  = "status"
	ActivityComment = "comment"
	ActivityPayment = "payment"
)

// Validate checks what every backend refuses.
func (a Activity) Validate() error {
	var v affiliate.Validation
	v.Text("type", a.Type, 1, 64)
	v.Text("actor", a.Actor.Name, 0, 255)
	v.Text("from", a.From, 0, 255)
	v.Text("to", a.To, 0, 255)
	return v.Err("activity")
}
