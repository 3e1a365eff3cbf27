package affiliatekit_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func TestInvitesAndApprovalsAreMailed(t *testing.T) {
	is := is.New(t)
	box := &mailing.Recorder{}
	kit, err := affiliatekit.New(memory.New(), affiliatekit.Options{Mailing: mailing.Options{Mailer: box, DailyLimit: 1}})
	is.NoErr(err)
	ctx := t.Context()
	acme, err := kit.Core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
	is.NoErr(err)
	invite := func() (string, error) {
		_, secret, err := kit.Identity.Invite(ctx, identity.InviteInput{Email: "rep@acme.example", AdvertiserID: acme.ID})
		return secret, err
	}
	secret, err := invite()
	is.NoErr(err)
	_, err = invite()
	is.True(err != nil) // the quota of the advertiser
	anna, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna", Email: "anna@example.com"})
	is.NoErr(err)
	_, err = kit.Core.ApproveUsers(ctx, []int64{anna.ID}, 0)
	is.NoErr(err)
	_, err = kit.Events.Deliver(ctx)
	is.NoErr(err)
	sent := box.Messages()
	is.Equal(len(sent), 2)
	is.Equal(sent[0].To, "rep@acme.example")
	is.Equal(sent[0].Subject, "Invitation to Acme")
	is.True(strings.Contains(sent[0].Text, secret))
	is.Equal(sent[1].To, "anna@example.com")
}
