package identity_test

import (
	"context"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A guest of an advertiser logs in at the OpenID provider and accepts its
// invite.
func Example() {
	ctx := context.Background()
	db := memory.New()
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	people, err := identity.NewService(core, db.Identity(), identity.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	acme, err := core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, _, err := people.Invite(ctx, identity.InviteInput{Email: "rep@acme.example", AdvertiserID: acme.ID}); err != nil {
		fmt.Println(err)
		return
	}
	session := affiliate.Session{Subject: "ory-42", Email: "rep@acme.example"}
	for range 2 {
		p, err := people.Session(ctx, session)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.Role, p.ActsFor(acme.ID))
		if p.Role == affiliate.RoleSession {
			if _, err := people.For(affiliate.ViewerOf(p)).AcceptInvites(ctx, affiliate.RoleRepresentative, ""); err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// session false
	// representative true
}
