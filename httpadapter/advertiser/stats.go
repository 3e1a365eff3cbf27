package advertiser

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// span is the part of an input that statistics take: both days are in it.
// Without them it is the last 30 days.
type span struct {
	From time.Time `query:"from"`
	To   time.Time `query:"to"`
}

func (s span) days() stats.Span { return stats.Span{From: s.From, To: s.To} }

// idText is a list of ids in one text: "123,2224".
type idText []int64

// maxIDs bounds the ids in one text.
const maxIDs = 1000

// UnmarshalWire reads the ids.
func (ids *idText) UnmarshalWire(v wire.Value) error {
	if v.Kind() == wire.Text && v.Text() == "" {
		return nil // ?users= : all
	}
	for part := range strings.SplitSeq(v.Text(), ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if v.Kind() != wire.Text || err != nil || id <= 0 || len(*ids) == maxIDs {
			return laravel.Invalid("", "invalid_ids", "must be at most 1000 ids with commas between them")
		}
		*ids = append(*ids, id)
	}
	return nil
}

// clicksPerDay is what happened at a store. Amounts are minor units.
type clicksPerDay struct {
	Clicks              int64               `json:"clicks"`
	OrderValue          int64               `json:"order_value"`
	OrderValueFormatted string              `json:"order_value_formatted"`
	Cost                int64               `json:"cost"` // of clicks and orders
	CostFormatted       string              `json:"cost_formatted"`
	UniqueUsers         int64               `json:"unique_users"` // creators with a click
	UniqueLinks         int64               `json:"unique_links"`
	Orders              int64               `json:"nr_orders"`
	PerDay              map[string]storeDay `json:"per_day"`
}

// storeDay is one day of a store. Its numbers are texts.
type storeDay struct {
	Date                string `json:"date"`
	Clicks              string `json:"clicks"`
	Cost                string `json:"cost"`
	CostFormatted       string `json:"cost_formatted"`
	OrderValue          string `json:"order_value"`
	OrderValueFormatted string `json:"order_value_formatted"`
	Orders              string `json:"nr_orders"`
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func (s *server) clicksPerDay(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	span
	Users idText `query:"users"`
}) (out clicksPerDay, err error) {
	o, err := s.stats.For(affiliate.ViewerOf(p)).Overview(ctx, in.StoreID, in.days(), in.Users)
	if err != nil {
		return out, err
	}
	c, cost := o.Advertiser.Currency, o.Total.Cost()
	out = clicksPerDay{
		Clicks: o.Total.Clicks, OrderValue: o.Total.OrderValue, OrderValueFormatted: formatted(o.Total.OrderValue, c), Cost: cost,
		CostFormatted: formatted(cost, c), UniqueUsers: o.Creators, UniqueLinks: o.Links, Orders: o.Total.Orders,
		PerDay: make(map[string]storeDay, len(o.PerDay)),
	}
	for _, d := range o.PerDay {
		day := d.Day.Format(time.DateOnly)
		out.PerDay[day] = storeDay{
			Date: day, Clicks: text(d.Clicks), Cost: text(d.Cost()), CostFormatted: formatted(d.Cost(), c),
			OrderValue: text(d.OrderValue), OrderValueFormatted: formatted(d.OrderValue, c), Orders: text(d.Orders),
		}
	}
	return out, nil
}

// generalStats is the last 30 days of a store. The costs are null without clicks.
type generalStats struct {
	Clicks             int64        `json:"clicks"`
	UniqueUsers        int64        `json:"unique_users"`
	Tags               int64        `json:"tags"`        // links with clicks
	InvoiceCPC         *int64       `json:"invoice_cpc"` // what all clicks cost
	AverageCPC         *json.Number `json:"avrage_cpc"`  // what one click earned, on average
	Currency           currency     `json:"currency"`
	InvoiceCPCFormated string       `json:"invoice_cpc_formated"`
	AverageCPCFormated string       `json:"avrage_cpc_formated"`
}

func (s *server) generalStats(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
}) (out generalStats, err error) {
	o, err := s.stats.For(affiliate.ViewerOf(p)).Overview(ctx, in.StoreID, stats.Span{}, nil)
	if err != nil {
		return out, err
	}
	c, average := o.Advertiser.Currency, averageOf(o.Total)
	out = generalStats{
		Clicks: o.Total.Clicks, UniqueUsers: o.Creators, Tags: o.Links, Currency: s.showCurrency(ctx, c),
		InvoiceCPCFormated: formated(o.Total.ClickCost, c), AverageCPCFormated: formated(average.RoundBank(0).IntPart(), c),
	}
	if o.Total.Clicks > 0 {
		number := json.Number(average.String())
		out.InvoiceCPC, out.AverageCPC = &o.Total.ClickCost, &number
	}
	return out, nil
}

// averageDigits are the digits of an average behind the point.
const averageDigits = 4

// averageOf is what a click earned on average, in minor units.
func averageOf(f stats.Figures) decimal.Decimal {
	if f.Clicks == 0 {
		return decimal.Zero
	}
	return decimal.NewFromInt(f.Earnings()).Div(decimal.NewFromInt(f.Clicks)).RoundBank(averageDigits)
}

type ordersOfDay struct {
	Date       string `json:"date"`
	Orders     int64  `json:"nr_orders"`
	OrderValue int64  `json:"order_value"` // minor units
}

// ordersPerDate has the last 30 days.
func (s *server) ordersPerDate(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
}) (map[string]ordersOfDay, error) {
	o, err := s.stats.For(affiliate.ViewerOf(p)).Overview(ctx, in.StoreID, stats.Span{}, nil)
	out := make(map[string]ordersOfDay, len(o.PerDay))
	for _, d := range o.PerDay {
		day := d.Day.Format(time.DateOnly)
		out[day] = ordersOfDay{day, d.Orders, d.OrderValue}
	}
	return out, err
}

// userStats are what one creator brought. Clicks by source are texts.
type userStats struct {
	Username           string `json:"username"`
	ID                 int64  `json:"id"`
	Instagram          string `json:"instagram"`
	Blog               string `json:"blog"` // all other sources
	Clicks             int64  `json:"clicks"`
	Orders             int64  `json:"nr_orders"`
	OrderValue         int64  `json:"order_value"` // minor units
	OrderValueFormated string `json:"order_value_formated"`
}

// columns are the columns of lists of statistics, under the names that the
// document has for them.
var columns = map[string]string{
	"username": stats.SortUsername, "instagram": stats.SortInstagramClicks, "blog": stats.SortOtherClicks, "clicks": "clicks",
	"nr_orders": "orders", "order_value": "order_value", "invoice_cpc": "click_cost", "average_cpc": "earnings_per_click",
}

func (s *server) userStats(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	span
	OrderBy string `query:"orderBy" enum:"username,instagram_followers,clicks,order_value,nr_orders"`
	Order   string `query:"orderByOrder" enum:"asc,desc"`
	Page    int    `query:"page" default:"1" min:"1" max:"1000000000"`
	Query   string `query:"q" max:"255"`
}) ([]userStats, error) {
	a, err := s.core.Advertiser(ctx, in.StoreID)
	if err != nil {
		return nil, err
	}
	var order []affiliate.Sort
	if column := columns[in.OrderBy]; column != "" { // followers are not known: they all sort as 0
		order = []affiliate.Sort{{Column: column, Desc: in.Order == "desc"}}
	}
	page, err := s.stats.For(affiliate.ViewerOf(p)).Creators(ctx, in.StoreID, in.days(), in.Query, order, affiliate.PageRequest{Number: in.Page, Size: pageSize})
	return laravel.ShowAll(page.Items, func(r stats.CreatorRow) userStats {
		instagram := r.SourceClicks[affiliate.SourceInstagram]
		return userStats{
			Username: r.User.Username, ID: r.UserID, Instagram: text(instagram), Blog: text(r.Clicks - instagram), Clicks: r.Clicks,
			Orders: r.Orders, OrderValue: r.OrderValue, OrderValueFormated: formated(r.OrderValue, a.Currency),
		}
	}), err
}

// linkStats are what one link brought. Amounts are minor units.
type linkStats struct {
	Username           string `json:"username"`
	UserID             int64  `json:"user_id"`
	TagID              int64  `json:"tag_id"` // the link's
	Link               string `json:"link"`
	Text               string `json:"text"` // not kept
	Instagram          string `json:"instagram"`
	Blog               string `json:"blog"` // all other sources
	Clicks             int64  `json:"clicks"`
	InvoiceCPC         string `json:"invoice_cpc"` // what all clicks cost
	AverageCPC         string `json:"average_cpc"` // what one click earned, on average
	Orders             int64  `json:"nr_orders"`
	OrderValue         int64  `json:"order_value"`
	OrderValueFormated string `json:"order_value_formated"`
	AverageCPCFormated string `json:"average_cpc_formated"`
	InvoiceCPCFormated string `json:"invoice_cpc_formated"`
}

func (s *server) linkStats(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	span
	OrderBy []string `query:"orderBy" alias:"orderBy[]" enum:"instagram,blog,clicks,invoice_cpc,average_cpc,nr_orders,order_value" max:"7"`
	Order   []string `query:"orderByOrder" alias:"orderByOrder[]" enum:"asc,desc" max:"7"`
	Users   idText   `query:"users"`
	Page    int      `query:"page" default:"1" min:"1" max:"1000000000"`
}) ([]linkStats, error) {
	a, err := s.core.Advertiser(ctx, in.StoreID)
	if err != nil {
		return nil, err
	}
	order := make([]affiliate.Sort, len(in.OrderBy))
	for i, name := range in.OrderBy {
		order[i] = affiliate.Sort{Column: columns[name], Desc: i < len(in.Order) && in.Order[i] == "desc"}
	}
	page, err := s.links.For(affiliate.ViewerOf(p)).LinkStats(ctx, in.StoreID, in.days(), in.Users, order, affiliate.PageRequest{Number: in.Page, Size: pageSize})
	return laravel.ShowAll(page.Items, func(l links.LinkStats) linkStats {
		instagram, average := l.SourceClicks[affiliate.SourceInstagram], averageOf(l.Figures)
		return linkStats{
			Username: l.User.Username, UserID: l.UserID, TagID: l.LinkID, Link: l.Link.OriginalURL, Instagram: text(instagram), Blog: text(l.Clicks - instagram), Clicks: l.Clicks,
			InvoiceCPC: text(l.ClickCost), AverageCPC: average.StringFixed(averageDigits), Orders: l.Orders, OrderValue: l.OrderValue,
			OrderValueFormated: formated(l.OrderValue, a.Currency), AverageCPCFormated: formated(average.RoundBank(0).IntPart(), a.Currency),
			InvoiceCPCFormated: formated(l.ClickCost, a.Currency),
		}
	}), err
}

// userTagStats has figures as texts by type, day and the name of the tag; those
// of tags with the same name are added up.
func (s *server) userTagStats(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
	span
	Tags  []int64  `query:"tags" required:"true" max:"100"`
	Types []string `query:"types" enum:"order_value,nr_orders,clicks,estimated_cost" max:"4"`
}) (map[string]map[string]map[string]string, error) {
	tags, err := s.stats.For(affiliate.ViewerOf(p)).Tags(ctx, in.StoreID, in.days(), in.Tags)
	if err != nil {
		return nil, err
	}
	if len(in.Types) == 0 {
		in.Types = []string{"order_value", "nr_orders", "clicks", "estimated_cost"}
	}
	out := make(map[string]map[string]map[string]string, len(in.Types))
	for _, name := range in.Types {
		out[name] = byDayAndTag(tags, measures[name])
	}
	return out, nil
}

func byDayAndTag(tags []stats.TagSeries, measure stats.Measure) map[string]map[string]string {
	type key struct{ day, tag string }
	sums := map[key]int64{}
	out := map[string]map[string]string{}
	for _, t := range tags {
		for _, d := range t.PerDay {
			at := key{d.Day.Format(time.DateOnly), t.Tag.Name}
			sums[at] += measure.Of(&d.Figures)
			if out[at.day] == nil {
				out[at.day] = map[string]string{}
			}
			out[at.day][at.tag] = text(sums[at])
		}
	}
	return out
}
