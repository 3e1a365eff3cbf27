package mailing

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// DefaultDailyLimit is how many e-mails an advertiser has a day.
const DefaultDailyLimit = 100

// Options sets up a Service. Mailer is required.
type Options struct {
	Mailer     Mailer
	DailyLimit int             // of an advertiser; 0: DefaultDailyLimit
	Clock      affiliate.Clock // default: affiliate.SystemClock
	// InviteURL returns where a guest accepts an invite with this secret.
	// Default: the mail has the secret alone.
	InviteURL func(secret string) string
}

// Service sends e-mails within the quotas. It is safe for concurrent use.
type Service struct {
	store  Store
	mailer Mailer
	limit  int
	clock  affiliate.Clock
	invite func(string) string
	viewer affiliate.Viewer
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil || o.Mailer == nil {
		return nil, errors.New("mailing: NewService needs a store and a mailer")
	}
	if o.DailyLimit < 0 {
		return nil, errors.New("mailing: Options.DailyLimit must not be negative")
	}
	if o.DailyLimit == 0 {
		o.DailyLimit = DefaultDailyLimit
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	if o.InviteURL == nil {
		o.InviteURL = func(secret string) string { return secret }
	}
	return &Service{store: store, mailer: o.Mailer, limit: o.DailyLimit, clock: o.Clock, invite: o.InviteURL}, nil
}

// For returns the service for a viewer, who sees the quotas of the advertisers
// that it acts for.
func (s *Service) For(v affiliate.Viewer) *Service {
	bound := *s
	bound.viewer = v
	return &bound
}

// Quota is how many e-mails an advertiser has today.
type Quota struct {
	Limit     int
	Used      int
	Remaining int
	ResetsAt  time.Time // the next midnight UTC
}

// Quota returns an advertiser's quota (advertiser-email-quota-get).
func (s *Service) Quota(ctx context.Context, advertiserID int64) (Quota, error) {
	if !s.viewer.ActsFor(advertiserID) {
		return Quota{}, affiliate.NotFound("advertiser", advertiserID)
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Quota, error) {
		if _, err := tx.Advertisers().Get(ctx, advertiserID); err != nil {
			return Quota{}, err
		}
		return s.quota(ctx, tx, advertiserID, s.clock.Now())
	})
}

func (s *Service) quota(ctx context.Context, tx Tx, advertiserID int64, now time.Time) (Quota, error) {
	today := now.Truncate(24 * time.Hour)
	tomorrow := today.Add(24 * time.Hour)
	used, err := tx.Mails().Used(ctx, advertiserID, today, tomorrow)
	return Quota{Limit: s.limit, Used: used, Remaining: max(s.limit-used, 0), ResetsAt: tomorrow}, err
}

// Outgoing is an e-mail to be sent.
type Outgoing struct {
	Key          string // what it is about; a key that was sent is not sent again
	AdvertiserID int64  // whose quota it counts for; 0: the operator's
	Message      Message
}

// overQuota is the error of a mail that the quota has no place for.
func overQuota(q Quota) error {
	return &affiliate.Error{
		Kind: affiliate.ErrState, Code: "email_quota_exceeded", Resource: "mail",
		Message: "The quota of " + strconv.Itoa(q.Limit) + " e-mails a day is used up. It resets at midnight UTC.",
	}
}

// Send sends an e-mail, unless its key was sent already. It returns ErrState
// "email_quota_exceeded" when the advertiser has none left today, and the
// mailer's error when that fails; the mail is not counted then.
func (s *Service) Send(ctx context.Context, out Outgoing) error {
	var v affiliate.Validation
	v.Check(affiliate.ValidEmail(out.Message.To), "to", "invalid_email", "must be an e-mail address")
	if err := v.Err("mail"); err != nil {
		return err
	}
	m, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Mail, error) {
		now := s.clock.Now()
		m, fresh, err := tx.Mails().Reserve(ctx, Mail{Key: out.Key, AdvertiserID: out.AdvertiserID, CreatedAt: now})
		if err != nil || !fresh || out.AdvertiserID == 0 {
			return m, err
		}
		q, err := s.quota(ctx, tx, out.AdvertiserID, now)
		if err == nil && q.Used > q.Limit { // this one counted
			err = overQuota(q)
		}
		return m, err
	})
	if err != nil || !m.SentAt.IsZero() {
		return err
	}
	// From here on the books are kept whatever becomes of the caller.
	after := context.WithoutCancel(ctx)
	if err := s.mailer.Send(ctx, out.Message); err != nil {
		return errors.Join(err, s.store.Write(after, func(ctx context.Context, tx Tx) error { return tx.Mails().Remove(ctx, m.ID) }))
	}
	return s.store.Write(after, func(ctx context.Context, tx Tx) error {
		return tx.Mails().Sent(ctx, m.ID, s.clock.Now())
	})
}

// SendInvite sends the secret of an invite. about names the invite ("invite:7"),
// to whom it is, and on whose behalf: an advertiser's or an agency's name.
func (s *Service) SendInvite(ctx context.Context, about string, advertiserID int64, to, behalf, secret string) error {
	return s.Send(ctx, Outgoing{Key: about, AdvertiserID: advertiserID, Message: Message{
		To:      to,
		Subject: "Invitation to " + behalf,
		Text:    "You are invited to act for " + behalf + ".\n\nAccept the invitation here:\n" + s.invite(secret) + "\n\nIt can be used once.\n",
	}})
}

// EventInvitation is the event of an invitation to a campaign, as package offers
// raises it. Its data is an [Invitation] as JSON.
const EventInvitation = "campaign.invited"

// Invitation is the data of an EventInvitation.
type Invitation struct {
	UserID       int64  `json:"user_id"`
	AdvertiserID int64  `json:"advertiser_id"`
	Campaign     string `json:"campaign"` // its name
}

// Delivers returns the kinds of events that Deliver makes e-mails of.
func (s *Service) Delivers() []string {
	return []string{affiliate.EventUserApproved.Name, EventInvitation}
}

// Deliver makes e-mails of the events "user.approved" and EventInvitation; it
// leaves other events alone. affiliatekit.New subscribes it to the kinds that
// Delivers returns. A user without an address gets none, and what an advertiser's quota
// has no place for is not sent: the quota is a bound, not a queue.
func (s *Service) Deliver(ctx context.Context, e affiliate.Event) error {
	out, err := s.outgoing(ctx, e)
	if errors.Is(err, affiliate.ErrNotFound) || err == nil && out.Message.To == "" {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.Send(ctx, out)
	if errors.Is(err, affiliate.ErrState) {
		return nil
	}
	return err
}

func (s *Service) outgoing(ctx context.Context, e affiliate.Event) (Outgoing, error) {
	out := Outgoing{Key: "event:" + strconv.FormatInt(e.ID, 10)}
	switch e.Kind {
	case affiliate.EventUserApproved.Name:
		id, err := strconv.ParseInt(e.Object.ID, 10, 64)
		if err != nil {
			return out, affiliate.NotFound("user", e.Object.ID)
		}
		u, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.User, error) { return tx.Users().Get(ctx, id) })
		out.Message = Message{To: u.Email, Subject: "Your account is approved", Text: greeting(u) + "Your account is approved. You can start now.\n"}
		return out, err
	case EventInvitation:
		var in Invitation
		if err := json.Unmarshal([]byte(e.Data), &in); err != nil {
			return out, err
		}
		var u affiliate.User
		var a affiliate.Advertiser
		err := s.store.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
			if u, err = tx.Users().Get(ctx, in.UserID); err != nil {
				return err
			}
			a, err = tx.Advertisers().Get(ctx, in.AdvertiserID)
			return err
		})
		out.AdvertiserID = in.AdvertiserID
		out.Message = Message{
			To: u.Email, Subject: "Invitation to the campaign " + in.Campaign,
			Text: greeting(u) + a.Name + " invites you to the campaign \"" + in.Campaign + "\".\n",
		}
		return out, err
	}
	return out, nil
}

func greeting(u affiliate.User) string {
	name := u.DisplayName
	if name == "" {
		name = u.Username
	}
	return "Hello " + name + ",\n\n"
}

// keepMails is how long a mail is remembered: longer than any event is
// delivered again.
const keepMails = 90 * 24 * time.Hour

// Sweep forgets mails of long ago, a thousand in one unit, and returns how many.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	const batch = 1000
	for total := 0; ; {
		n, err := affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (int, error) {
			return tx.Mails().Expire(ctx, s.clock.Now().Add(-keepMails), batch)
		})
		total += n
		if err != nil || n < batch {
			return total, err
		}
	}
}
