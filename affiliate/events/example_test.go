package events_test

import (
	"context"
	"fmt"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

func Example() {
	ctx := context.Background()
	kit, err := affiliatekit.New(memory.New(), affiliatekit.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = kit.Events.Subscribe("welcome", []string{affiliate.EventUserApproved.Name}, func(_ context.Context, e affiliate.Event) error {
		fmt.Println("welcome,", e.Object)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := kit.Events.Register(ctx); err != nil { // Run does it too
		fmt.Println(err)
		return
	}
	anna, err := kit.Core.CreateUser(ctx, affiliate.User{Username: "anna"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := kit.Core.ApproveUsers(ctx, []int64{anna.ID}, 0); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := kit.Events.Deliver(ctx); err != nil { // a server calls Run instead
		fmt.Println(err)
		return
	}
	all, err := kit.Events.After(ctx, 0, 100) // what a bus of one's own reads
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range all {
		fmt.Println(e.Sequence, e.Kind)
	}
	// Output:
	// welcome, user:1
	// 1 user.created
	// 2 user.approved
}
