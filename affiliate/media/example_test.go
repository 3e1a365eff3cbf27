package media_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// An ingest that runs again adds nothing twice.
func Example() {
	ctx := context.Background()
	db := memory.New()
	core, err1 := affiliate.NewService(db.Core(), affiliate.Options{})
	published, err2 := media.NewService(db.Media(), media.Options{})
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := core.CreateUser(ctx, affiliate.User{Username: "anna", SocialMedia: []affiliate.SocialMedia{{Type: "youtube", Identifier: "anna"}}}); err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		m, fresh, err := published.Add(ctx, media.Medium{
			Type: "youtube", ExternalID: "FLR0BB4qDt8", Username: "@Anna", PublishedAt: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC),
		})
		fmt.Println(m.Username, m.UserID, fresh, err)
	}
	// Output:
	// anna 1 true <nil>
	// anna 1 false <nil>
}
