package mailing_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// An advertiser has one e-mail a day here.
func Example() {
	ctx := context.Background()
	db, box := memory.New(), &mailing.Recorder{}
	core, err1 := affiliate.NewService(db.Core(), affiliate.Options{})
	mail, err2 := mailing.NewService(db.Mailing(), mailing.Options{Mailer: box, DailyLimit: 1})
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	acme, err := core.CreateAdvertiser(ctx, affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, about := range []string{"summer", "summer", "winter"} { // summer again makes no second mail
		err := mail.Send(ctx, mailing.Outgoing{Key: about, AdvertiserID: acme.ID, Message: mailing.Message{To: "anna@example.com", Subject: about}})
		fmt.Println(about, err)
	}
	fmt.Println(len(box.Messages()))
	// Output:
	// summer <nil>
	// summer <nil>
	// winter mail: The quota of 1 e-mails a day is used up. It resets at midnight UTC. (email_quota_exceeded)
	// 1
}
