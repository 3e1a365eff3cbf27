package market

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

// Dump is everything that the world keeps, but the idempotency keys, as text:
// two equal dumps say that nothing was changed in between.
func (w *World) Dump() string {
	w.T.Helper()
	var out strings.Builder
	err := w.Backend.Links.Read(context.WithoutCancel(w.T.Context()), func(ctx context.Context, tx links.Tx) error {
		all := affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize}
		d := dumper{out: &out}
		dumpPage[affiliate.Advertiser](&d, "advertiser")(tx.Advertisers().List(ctx, affiliate.AdvertiserFilter{}, all))
		dumpPage[affiliate.AdvertiserGroup](&d, "group")(tx.AdvertiserGroups().List(ctx, affiliate.AdvertiserGroupFilter{}, all))
		dumpPage[affiliate.Client](&d, "client")(tx.Clients().List(ctx, affiliate.ClientFilter{}, all))
		dumpPage[affiliate.User](&d, "user")(tx.Users().List(ctx, affiliate.UserFilter{}, all))
		dumpPage[affiliate.UserTag](&d, "tag")(tx.UserTags().List(ctx, affiliate.UserTagFilter{}, all))
		dumpPage[affiliate.Entry](&d, "entry")(tx.Ledger().List(ctx, affiliate.EntryFilter{}, all))
		dumpPage[links.Link](&d, "link")(tx.Links().List(ctx, links.LinkFilter{}, all))
		dumpAll[affiliate.Category](&d, "category")(tx.Categories().All(ctx))
		dumpAll[affiliate.Event](&d, "event")(tx.Events().Scan(ctx, 0, affiliate.MaxPageSize))
		dumpAll[links.Rule](&d, "rule")(tx.Rules().Scan(ctx, 0, affiliate.MaxPageSize))
		dumpAll[links.Click](&d, "click")(tx.Clicks().Scan(ctx, uuid.Nil, affiliate.MaxPageSize))
		dumpAll[stats.Rollup](&d, "statistics")(tx.Stats().Scan(ctx, stats.Key{}, affiliate.MaxPageSize))
		if err := w.dumpOffers(ctx, &d, tx); err != nil {
			return err
		}
		for _, role := range []affiliate.Role{affiliate.RoleRepresentative, affiliate.RoleAgency} {
			for _, who := range Principals {
				dumpAll[int64](&d, "membership of "+who)(tx.Memberships().Advertisers(ctx, role, who))
			}
		}
		if err := w.dumpPeople(ctx, &d, tx); err != nil {
			return err
		}
		dumpPage[affiliate.User](&d, "works with somebody")(tx.Users().List(ctx, affiliate.UserFilter{AdvertiserIDs: w.advertisers()}, all))
		for _, id := range w.advertisers() {
			dumpAll[stats.Config](&d, "configuration")(tx.StatsConfigs().ByAdvertiser(ctx, id))
			dumpPage[affiliate.BlocklistEntry](&d, fmt.Sprint("blocklist of ", id))(tx.Blocklist().List(ctx, affiliate.BlocklistFilter{AdvertiserID: id}, all))
		}
		return d.err
	})
	if err == nil {
		err = w.dumpReturnAds(&out)
	}
	if err == nil && w.Backend.Media != nil {
		err = w.Backend.Media.Read(context.WithoutCancel(w.T.Context()), func(ctx context.Context, tx media.Tx) error {
			d := dumper{out: &out}
			dumpPage[media.Medium](&d, "medium")(tx.Media().List(ctx, media.Filter{}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize}))
			return d.err
		})
	}
	if err == nil && w.Payouts != nil {
		err = w.dumpPayouts(&out)
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return out.String()
}

func (w *World) dumpReturnAds(out *strings.Builder) error {
	return w.Backend.ReturnAds.Read(context.WithoutCancel(w.T.Context()), func(ctx context.Context, tx returnads.Tx) error {
		d := dumper{out: out}
		ads, err := tx.ReturnAds().List(ctx, returnads.Filter{}, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
		dumpPage[returnads.Ad](&d, "return ad")(ads, err)
		for _, ad := range ads.Items {
			counts, err := tx.ReturnAds().Counts(ctx, []int64{ad.ID})
			dumpAll[returnads.Counts](&d, "counts")([]returnads.Counts{counts[ad.ID]}, err)
		}
		return d.err
	})
}

// dumpPeople dumps the accounts of the sessions and their invites.
func (w *World) dumpPeople(ctx context.Context, d *dumper, tx identity.Tx) error {
	for _, name := range sessionNames {
		a, err := tx.Accounts().BySubject(ctx, name)
		if err == nil {
			dumpAll[identity.Account](d, "account")([]identity.Account{a}, nil)
		} else if !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		for _, role := range []affiliate.Role{affiliate.RoleRepresentative, affiliate.RoleAgency} {
			dumpAll[identity.Invite](d, "pending invite")(withoutSecrets(tx.Invites().Pending(ctx, role, name+"@guests.example", w.Clock())))
		}
	}
	return d.err
}

// withoutSecrets takes out what is random.
func withoutSecrets(invites []identity.Invite, err error) ([]identity.Invite, error) {
	for i := range invites {
		invites[i].Hash = [32]byte{}
	}
	return invites, err
}

// advertisers are the ids of the advertisers that the world began with.
func (w *World) advertisers() []int64 {
	var ids []int64
	for name, id := range w.ID {
		if strings.HasPrefix(name, "advertiser ") {
			ids = append(ids, id)
		}
	}
	return idset.Sorted(ids)
}

type dumper struct {
	out *strings.Builder
	err error
}

func dumpAll[T any](d *dumper, what string) func([]T, error) {
	return func(items []T, err error) {
		for _, item := range items {
			fmt.Fprintf(d.out, "%s: %+v\n", what, item)
		}
		if d.err == nil {
			d.err = err
		}
	}
}

func dumpPage[T any](d *dumper, what string) func(affiliate.Page[T], error) {
	return func(p affiliate.Page[T], err error) { dumpAll[T](d, what)(p.Items, err) }
}

// dumpOffers dumps what package offers keeps, but when activities were read:
// that is what reading them changes.
func (w *World) dumpOffers(ctx context.Context, d *dumper, tx offers.Tx) error {
	all := affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize}
	list, err := tx.Offers().List(ctx, offers.OfferFilter{}, all)
	dumpPage[offers.Offer](d, "offer")(list, err)
	for _, o := range list.Items {
		dumpAll[offers.Target](d, fmt.Sprint("target of ", o.ID))(tx.Targets().Get(ctx, o.ID))
	}
	parts, err := tx.Participants().List(ctx, offers.ParticipantFilter{}, all)
	dumpPage[offers.Participant](d, "participant")(parts, err)
	for _, p := range parts.Items {
		dumpAll[offers.Comment](d, "comment")(tx.Comments().ByParticipant(ctx, p.ID))
		activities, err := tx.Activities().List(ctx, offers.ActivityFilter{ParticipantID: p.ID}, all)
		for i := range activities.Items {
			activities.Items[i].ReadAt = time.Time{}
		}
		dumpPage[offers.Activity](d, "activity")(activities, err)
	}
	dumpPage[offers.SharedBudget](d, "shared budget")(tx.SharedBudgets().List(ctx, offers.SharedBudgetFilter{}, all))
	dumpAll[offers.Usage](d, "usage")(tx.Usage().Scan(ctx, offers.UsageKey{}, affiliate.MaxPageSize))
	return d.err
}
