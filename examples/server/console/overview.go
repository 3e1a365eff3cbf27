package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

const (
	overviewDays = 30
	moneyCharts  = 6 // currencies with a chart; the table has all
)

type overviewPage struct {
	Today    time.Time
	Days     int
	Verdicts []verdictBar
	Clicks   int64 // of today, whatever their verdict
	Label    string
	Orders   chart
	Money    []chart
	Sums     []currencySum
	Waiting  []tile
}

type verdictBar struct {
	Verdict links.Verdict
	Clicks  int64
	Width   float64 // of 100
}

// currencySum is what the days add up to in one currency.
type currencySum struct {
	Currency                  affiliate.Currency
	Orders                    int64
	OrderValue, Earning, Cost affiliate.Money
}

// tile is a number that should be small, and where to read more.
type tile struct {
	Text, Address string
	Count         int64
	Trouble       bool
}

// overview is the first page (GET /).
func (c *Console) overview(ctx context.Context, _ *http.Request) (any, error) {
	today := links.DayOf(c.o.Clock())
	from := today.AddDate(0, 0, 1-overviewDays)
	rows, err := c.kit.Stats.Query(ctx, stats.Filter{From: from, Until: today.AddDate(0, 0, 1)}, stats.ByDay|stats.ByCurrency)
	if err != nil {
		return nil, err
	}
	out := overviewPage{Today: today, Days: overviewDays}
	out.verdicts(today, rows)
	out.charts(from, rows)
	out.Waiting, err = c.waiting(ctx)
	return out, err
}

// verdicts counts today's clicks.
func (p *overviewPage) verdicts(today time.Time, rows []stats.Row) {
	var f stats.Figures
	for _, r := range rows {
		if r.Day.Equal(today) {
			f.Add(&r.Figures)
		}
	}
	counts := map[links.Verdict]int64{
		links.VerdictValid: f.Clicks, links.VerdictDuplicate: f.Duplicates, links.VerdictBot: f.Bots, links.VerdictBlocked: f.Blocked, links.VerdictCapped: f.Capped,
	}
	most := int64(1)
	for _, n := range counts {
		p.Clicks, most = p.Clicks+n, max(most, n)
	}
	p.Label = fmt.Sprintf("Clicks today by verdict, %s in all:", Count(p.Clicks))
	for _, v := range links.Verdicts() {
		p.Verdicts = append(p.Verdicts, verdictBar{v, counts[v], round(float64(counts[v]) / float64(most) * 100)})
		p.Label += fmt.Sprintf(" %s %s,", Count(counts[v]), v)
	}
	p.Label = p.Label[:len(p.Label)-1] + "."
}

// charts draws orders, and the money of each currency, by day.
func (p *overviewPage) charts(from time.Time, rows []stats.Row) {
	var days []time.Time
	for i := range overviewDays {
		days = append(days, from.AddDate(0, 0, i))
	}
	place := func(r stats.Row) int { return int(r.Day.Sub(from) / (24 * time.Hour)) }
	orders := make([]int64, len(days))
	perDay := make(map[affiliate.Currency][]stats.Figures)
	sums := make(map[affiliate.Currency]*stats.Figures)
	for _, r := range rows {
		i := place(r)
		orders[i] += r.Orders
		if perDay[r.Currency] == nil {
			perDay[r.Currency], sums[r.Currency] = make([]stats.Figures, len(days)), new(stats.Figures)
		}
		perDay[r.Currency][i].Add(&r.Figures)
		sums[r.Currency].Add(&r.Figures)
	}
	p.Orders = newChart("orders", fmt.Sprintf("Paid orders per day, last %d days", overviewDays), days, func(n int64) string { return plural(n, "order", "orders") },
		series{"Orders", "first", orders})
	for currency, f := range sums {
		money := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, currency) }
		p.Sums = append(p.Sums, currencySum{currency, f.Orders, money(f.OrderValue), money(f.Earnings()), money(f.Cost())})
	}
	slices.SortFunc(p.Sums, func(a, b currencySum) int { // the most orders first
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Currency, b.Currency))
	})
	for _, s := range p.Sums {
		if len(p.Money) == moneyCharts {
			break
		}
		earning, cost := make([]int64, len(days)), make([]int64, len(days))
		for i := range days {
			earning[i], cost[i] = perDay[s.Currency][i].Earnings(), perDay[s.Currency][i].Cost()
		}
		p.Money = append(p.Money, newChart("money-"+string(s.Currency), fmt.Sprintf("Money per day in %s, last %d days", s.Currency, overviewDays), days,
			func(minor int64) string { return Amount(affiliate.NewMoney(minor, s.Currency)) },
			series{"Earned by creators", "first", earning}, series{"Cost to advertisers", "second", cost}))
	}
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// waiting counts what is under way, and what needs a person.
func (c *Console) waiting(ctx context.Context) ([]tile, error) {
	var tiles []tile
	for _, channel := range []struct{ name, text, address string }{
		{events.ChannelProcess, "events for subscribers", Prefix + "/events"}, {webhooks.Channel, "webhook deliveries", Prefix + "/webhooks"},
	} {
		list, err := c.kit.Events.Backlog(ctx, channel.name)
		if err != nil {
			return nil, err
		}
		var waiting, parked int64
		for _, b := range list {
			waiting, parked = waiting+int64(b.Waiting), parked+int64(b.Parked)
		}
		tiles = append(tiles, tile{channel.text + " wait", channel.address, waiting, false}, tile{channel.text + " given up", channel.address, parked, parked > 0})
	}
	for _, state := range []adsync.JobState{adsync.JobQueued, adsync.JobParked} {
		n, err := c.jobs(ctx, state)
		if err != nil {
			return nil, err
		}
		tiles = append(tiles, tile{"ad sync jobs " + string(state), Prefix + "/adsync?state=" + string(state), n, state == adsync.JobParked && n > 0})
	}
	return tiles, nil
}
