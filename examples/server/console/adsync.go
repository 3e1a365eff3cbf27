package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

type adSyncPage struct {
	State  adsync.JobState // of the jobs shown; empty: all
	States []stateCount
	Jobs   []adsync.Job
	Pager  pager
}

type stateCount struct {
	State adsync.JobState
	Jobs  int64
}

// adSync lists the sync jobs (GET /console/adsync, ?state=).
func (c *Console) adSync(ctx context.Context, r *http.Request) (any, error) {
	out := adSyncPage{State: adsync.JobState(r.URL.Query().Get("state"))}
	if out.State != "" && !slices.Contains(adsync.JobStates(), out.State) {
		return nil, affiliate.Invalid("page", affiliate.FieldError{Field: "state", Code: "invalid", Message: "must be queued, leased or parked"})
	}
	p, err := numbered(r, affiliate.Sort{})
	if err != nil {
		return nil, err
	}
	for _, state := range adsync.JobStates() {
		n, err := c.jobs(ctx, state)
		if err != nil {
			return nil, err
		}
		out.States = append(out.States, stateCount{state, n})
	}
	list, err := c.kit.AdSync.Jobs(ctx, adsync.JobFilter{State: out.State}, p)
	if err != nil {
		return nil, err
	}
	out.Jobs, out.Pager = list.Items, pagerFor(r, p, len(list.Items), list.Total, "jobs")
	return out, nil
}

// jobs is how many jobs are in a state.
func (c *Console) jobs(ctx context.Context, state adsync.JobState) (int64, error) {
	list, err := c.kit.AdSync.Jobs(ctx, adsync.JobFilter{State: state}, affiliate.PageRequest{Number: 1, Size: 1})
	return int64(list.Total), err
}
