package metapic

import (
	"context"
	"encoding/json"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// campaignStats is how a campaign did over some days.
type campaignStats struct {
	Clicks      int64         `json:"clicks"`
	UniqueUsers int64         `json:"unique_users"`
	Orders      int64         `json:"orders"`
	OrderValue  laravel.Money `json:"order_value"`
	Cost        laravel.Money `json:"cost"`
	Earnings    laravel.Money `json:"earnings"`
	PerDay      []dayStats    `json:"per_day"`
}

type dayStats struct {
	Date       string        `json:"date"`
	Clicks     int64         `json:"clicks"`
	Orders     int64         `json:"orders"`
	OrderValue laravel.Money `json:"order_value"`
	Cost       laravel.Money `json:"cost"`
}

// dates are the first and the last day of statistics, in the query or the body.
type dates struct {
	Start time.Time `query:"start_date" json:"start_date" required:"true"`
	End   time.Time `query:"end_date" json:"end_date" required:"true"`
}

// days returns the dates as the domain takes them: the last day is in them. An
// absent date is no bound. Days are those of the advertiser; a time within one is
// refused, because cutting it would tell of other hours than were asked for.
func days(start, end time.Time) (from, until time.Time, err error) {
	const day = 24 * time.Hour
	var v affiliate.Validation
	v.Check(start.Equal(start.Truncate(day)), "start_date", "invalid_date", "must be a date, such as 2026-03-18: days are counted as a whole")
	v.Check(end.Equal(end.Truncate(day)), "end_date", "invalid_date", "must be a date, such as 2026-03-18: days are counted as a whole")
	if from = start; !end.IsZero() {
		until = end.Add(day)
		v.Check(until.After(from), "end_date", "before_start_date", "must not be before start_date")
	}
	return from, until, v.Err("statistics")
}

func (s *server) campaignStats(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID int64 `path:"offer_id"`
	dates
}) (out campaignStats, err error) {
	from, until, err := days(in.Start, in.End)
	if err != nil {
		return out, err
	}
	sums, err := s.offers.Stats(ctx, in.OfferID, from, until)
	if err != nil {
		return out, err
	}
	amount := func(minor int64) laravel.Money { return laravel.Money(affiliate.NewMoney(minor, sums.Currency)) }
	return campaignStats{
		Clicks: sums.Clicks, UniqueUsers: sums.Readers, Orders: sums.Orders,
		OrderValue: amount(sums.OrderValue), Cost: amount(sums.Cost()), Earnings: amount(sums.Earnings()),
		PerDay: laravel.ShowAll(sums.PerDay, func(d stats.Row) dayStats {
			return dayStats{Date: d.Day.UTC().Format(time.DateOnly), Clicks: d.Clicks, Orders: d.Orders, OrderValue: amount(d.OrderValue), Cost: amount(d.Cost())}
		}),
	}, nil
}

// activity counts the participants with and without clicks.
type activityCount struct {
	Active   int `json:"active"`
	Inactive int `json:"inactive"`
}

func (s *server) countParticipants(ctx context.Context, _ affiliate.Principal, in struct {
	OfferID int64     `path:"offer_id"`
	Start   time.Time `query:"start_date" json:"start_date"`
	End     time.Time `query:"end_date" json:"end_date"`
}) (out activityCount, err error) {
	from, until, err := days(in.Start, in.End)
	if err != nil {
		return out, err
	}
	out.Active, out.Inactive, err = s.offers.CountByActivity(ctx, in.OfferID, from, until)
	return out, err
}

// participantStats is how a participant does.
type participantStats struct {
	ID           int64        `json:"id"`
	UserID       *int64       `json:"user_id"`
	DisplayName  *string      `json:"display_name"`
	Clicks       int64        `json:"clicks"`
	Status       string       `json:"status"`
	LinksCreated *int64       `json:"links_created"` // for the campaign's advertiser; null: nobody yet
	GrossProfit  *int64       `json:"estimated_gp"`  // minor units
	Ratio        *json.Number `json:"estimated_earning_to_cost_ratio"`
}

func showParticipantStats(v offers.ParticipantStats) participantStats {
	gp := v.GrossProfit()
	shown := participantStats{
		ID: v.ID, UserID: laravel.IDOrNull(v.UserID), DisplayName: nameOf(v.ParticipantView),
		Clicks: v.Range.Clicks, Status: string(v.Status), GrossProfit: &gp,
	}
	if ratio, ok := v.Ratio(); ok {
		number := json.Number(ratio.String())
		shown.Ratio = &number
	}
	return shown
}

type listParticipantStats struct {
	OfferID int64 `path:"offer_id"`
	URL     wire.URL
	Page    int                 `query:"page" default:"1" min:"1" max:"1000000000"`
	Query   string              `query:"query" json:"query" max:"255"`
	Active  wire.Optional[bool] `query:"active" json:"active"`
	Start   time.Time           `query:"start_date" json:"start_date"`
	End     time.Time           `query:"end_date" json:"end_date"`
	SortBy  affiliate.Sort      `query:"sort_by" json:"sort_by" sort:"id,user_id,status,clicks,estimated_gp,estimated_earning_to_cost_ratio"`
}

func (s *server) listParticipantStats(ctx context.Context, _ affiliate.Principal, in listParticipantStats) (list laravel.List[participantStats], err error) {
	f := offers.ParticipantFilter{OfferID: in.OfferID, Query: in.Query, Active: laravel.OptionalOf(in.Active.Ptr())}
	if f.From, f.Until, err = days(in.Start, in.End); err != nil {
		return list, err
	}
	req := affiliate.PageRequest{Number: in.Page, Size: participantsPage, Sort: in.SortBy}
	page, err := s.offers.ParticipantsStats(ctx, f, req)
	if err != nil {
		return list, err
	}
	created, err := s.linksCreated(ctx, f, page.Items)
	return laravel.NewList(in.URL, req, page, func(v offers.ParticipantStats) participantStats {
		shown := showParticipantStats(v)
		if v.UserID != 0 && created != nil {
			n := created[v.UserID]
			shown.LinksCreated = &n
		}
		return shown
	}), err
}

// linksCreated counts what participants have made for the campaign's advertiser
// in the days of the statistics; nil where no links are kept.
func (s *server) linksCreated(ctx context.Context, f offers.ParticipantFilter, parts []offers.ParticipantStats) (map[int64]int64, error) {
	if s.links == nil || len(parts) == 0 {
		return nil, nil
	}
	o, err := s.offers.Offer(ctx, f.OfferID)
	if err != nil {
		return nil, err
	}
	var userIDs []int64
	for _, v := range parts {
		if v.UserID != 0 {
			userIDs = append(userIDs, v.UserID)
		}
	}
	return s.links.LinksCreated(ctx, o.AdvertiserID, userIDs, f.From, f.Until)
}
