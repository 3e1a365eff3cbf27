package mailing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/storage/storagetest"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// office sends the mails of one advertiser.
type office struct {
	core *affiliate.Service
	mail *mailing.Service
	box  *mailing.Recorder
	fail error
	now  time.Time
	acme affiliate.Advertiser
}

func (o *office) Send(ctx context.Context, m mailing.Message) error {
	if o.fail != nil {
		return o.fail
	}
	return o.box.Send(ctx, m)
}

func eachOffice(t *testing.T, test func(t *testing.T, o *office)) {
	backends.Each(t, func(t *testing.T, b storagetest.Backend) {
		is := is.New(t)
		o := &office{box: &mailing.Recorder{}, now: time.Date(2026, 3, 18, 23, 0, 0, 0, time.UTC)}
		clock := func() time.Time { return o.now }
		var err error
		o.core, err = affiliate.NewService(b.Core, affiliate.Options{Clock: clock})
		is.NoErr(err)
		o.mail, err = mailing.NewService(b.Mailing, mailing.Options{Mailer: o, DailyLimit: 3, Clock: clock})
		is.NoErr(err)
		o.acme, err = o.core.CreateAdvertiser(t.Context(), affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
		is.NoErr(err)
		test(t, o)
	})
}

func (o *office) letter(key string) mailing.Outgoing {
	return mailing.Outgoing{Key: key, AdvertiserID: o.acme.ID, Message: mailing.Message{To: "anna@example.com", Subject: key}}
}

func TestAnAdvertiserSendsAtMostItsQuotaADay(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		is := is.New(t)
		for i := range 3 {
			is.NoErr(o.mail.Send(t.Context(), o.letter(fmt.Sprint("mail ", i))))
		}
		err := o.mail.Send(t.Context(), o.letter("one too many"))
		is.True(errors.Is(err, affiliate.ErrState))
		is.NoErr(o.mail.Send(t.Context(), o.letter("mail 1"))) // sent already
		is.Equal(len(o.box.Messages()), 3)
		q, err := o.mail.Quota(t.Context(), o.acme.ID)
		is.NoErr(err)
		is.Equal(q, mailing.Quota{Limit: 3, Used: 3, Remaining: 0, ResetsAt: time.Date(2026, 3, 19, 0, 0, 0, 0, time.UTC)})
		is.NoErr(o.mail.Send(t.Context(), mailing.Outgoing{Key: "of the operator", Message: mailing.Message{To: "anna@example.com"}})) // no quota
		o.now = o.now.Add(time.Hour)                                                                                                   // midnight
		is.NoErr(o.mail.Send(t.Context(), o.letter("one too many")))
	})
}

func TestOfMailsAtOnceNoMoreThanTheQuotaIsSent(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		is := is.New(t)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if err := o.mail.Send(t.Context(), o.letter(fmt.Sprint("mail ", i))); err != nil && !errors.Is(err, affiliate.ErrState) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		is.Equal(len(o.box.Messages()), 3)
	})
}

func TestAMailThatFailsIsNotCounted(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		is := is.New(t)
		o.fail = errors.New("no network")
		is.True(errors.Is(o.mail.Send(t.Context(), o.letter("mail")), o.fail))
		q, err := o.mail.Quota(t.Context(), o.acme.ID)
		is.NoErr(err)
		is.Equal(q.Used, 0)
		o.fail = nil
		is.NoErr(o.mail.Send(t.Context(), o.letter("mail")))
		is.Equal(len(o.box.Messages()), 1)
		for _, to := range []string{"", "nobody", "a@b\r\nBcc: c@d"} {
			bad := o.letter("bad")
			bad.Message.To = to
			is.True(errors.Is(o.mail.Send(t.Context(), bad), affiliate.ErrInvalid))
		}
	})
}

func TestQuotasAreForWhoActsForTheAdvertiser(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		is := is.New(t)
		as := func(ids ...int64) *mailing.Service {
			return o.mail.For(affiliate.ViewerOf(affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: ids}))
		}
		_, err := as(o.acme.ID).Quota(t.Context(), o.acme.ID)
		is.NoErr(err)
		_, err = as(o.acme.ID+1).Quota(t.Context(), o.acme.ID)
		is.True(errors.Is(err, affiliate.ErrNotFound))
		_, err = o.mail.Quota(t.Context(), o.acme.ID+1)
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

func TestEventsBecomeOneMailEach(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		is := is.New(t)
		anna, err := o.core.CreateUser(t.Context(), affiliate.User{Username: "anna", DisplayName: "Anna", Email: "anna@example.com"})
		is.NoErr(err)
		silent, err := o.core.CreateUser(t.Context(), affiliate.User{Username: "silent"})
		is.NoErr(err)
		data := func(user int64) string {
			b, err := json.Marshal(mailing.Invitation{UserID: user, AdvertiserID: o.acme.ID, Campaign: "Summer"})
			is.NoErr(err)
			return string(b)
		}
		approved := func(id, user int64) affiliate.Event {
			e := affiliate.EventUserApproved.On(user, o.now)
			e.ID = id
			return e
		}
		for range 2 {
			for _, e := range []affiliate.Event{
				approved(1, anna.ID),
				approved(2, silent.ID),
				approved(3, 999),
				affiliate.EventUserBanned.On(anna.ID, o.now),
				{ID: 5, Kind: mailing.EventInvitation, Object: affiliate.Object{Type: "participant", ID: "1"}, Data: data(anna.ID)},
			} {
				is.NoErr(o.mail.Deliver(t.Context(), e))
			}
		}
		var subjects []string
		for _, m := range o.box.Messages() {
			is.Equal(m.To, "anna@example.com")
			subjects = append(subjects, m.Subject)
		}
		is.Equal(subjects, []string{"Your account is approved", "Invitation to the campaign Summer"})
		is.NoErr(o.mail.SendInvite(t.Context(), "invite:7", o.acme.ID, "guest@example.com", "Acme", "s3cret"))
		is.True(strings.Contains(o.box.Messages()[2].Text, "s3cret"))
		q, err := o.mail.Quota(t.Context(), o.acme.ID)
		is.NoErr(err)
		is.Equal(q.Used, 2)
		o.now = o.now.Add(91 * 24 * time.Hour)
		n, err := o.mail.Sweep(t.Context())
		is.NoErr(err)
		is.Equal(n, 3)
	})
}
