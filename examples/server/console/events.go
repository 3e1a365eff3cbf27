package console

import (
	"context"
	"net/http"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

type eventsPage struct {
	Events   []affiliate.Event
	Pager    pager
	Backlogs []events.Backlog
}

// events lists events, the newest first, and what waits for the subscribers
// (GET /console/events).
func (c *Console) events(ctx context.Context, r *http.Request) (any, error) {
	before, err := whole(r, "before")
	if err != nil {
		return nil, err
	}
	list, err := c.kit.Events.Before(ctx, before, PageSize+1)
	if err != nil {
		return nil, err
	}
	var out eventsPage
	if len(list) > PageSize {
		list = list[:PageSize]
		out.Pager.Next = address(r, "before", strconv.FormatInt(list[PageSize-1].Sequence, 10))
	}
	if before > 0 {
		out.Pager.Previous = r.URL.Path
	}
	out.Events = list
	out.Backlogs, err = c.kit.Events.Backlog(ctx, events.ChannelProcess)
	return out, err
}

type webhooksPage struct {
	Endpoints []endpointRow
	Attempts  []attemptRow
	Pager     pager
}

type endpointRow struct {
	webhooks.View
	Backlog events.Backlog
}

type attemptRow struct {
	webhooks.Attempt
	URL string // empty: the endpoint is not among those shown
}

// webhooks lists endpoints and the log of deliveries, the newest first
// (GET /console/webhooks). Secrets are not shown.
func (c *Console) webhooks(ctx context.Context, r *http.Request) (any, error) {
	p, err := numbered(r, affiliate.Sort{Column: "at", Desc: true})
	if err != nil {
		return nil, err
	}
	endpoints, err := c.kit.Webhooks.Endpoints(ctx, affiliate.PageRequest{Number: 1, Size: PageSize})
	if err != nil {
		return nil, err
	}
	backlogs, err := c.kit.Events.Backlog(ctx, webhooks.Channel)
	if err != nil {
		return nil, err
	}
	waiting := make(map[string]events.Backlog, len(backlogs))
	for _, b := range backlogs {
		waiting[b.Consumer] = b
	}
	attempts, err := c.kit.Webhooks.Attempts(ctx, webhooks.AttemptFilter{}, p)
	if err != nil {
		return nil, err
	}
	out := webhooksPage{Pager: pagerFor(r, p, len(attempts.Items), attempts.Total, "attempts")}
	urls := make(map[int64]string)
	for _, v := range endpoints.Items {
		urls[v.ID] = v.URL
		out.Endpoints = append(out.Endpoints, endpointRow{v, waiting[v.Consumer.Name]})
	}
	for _, a := range attempts.Items {
		out.Attempts = append(out.Attempts, attemptRow{a, urls[a.EndpointID]})
	}
	return out, nil
}
