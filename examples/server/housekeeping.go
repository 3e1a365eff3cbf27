package main

import (
	"context"
	"time"
)

// tidyEvery is how often what is old is deleted.
const tidyEvery = time.Hour

// tidy deletes images that nobody uses and mails of long ago until the context
// ends. What fails is tried again the next time.
func (a *app) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		for what, sweep := range map[string]func(context.Context) (int, error){"images": a.kit.Offers.SweepImages, "mails": a.kit.Mailing.Sweep, "events": a.kit.Events.Sweep, "attempts at webhooks": a.kit.Webhooks.Sweep} {
			if n, err := sweep(ctx); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "old "+what+" were not deleted", "error", err)
			} else if n > 0 {
				a.log.InfoContext(ctx, "old "+what+" deleted", "count", n)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
