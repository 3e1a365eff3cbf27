package advertiser_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// sales is a shop of its own in the market, with two campaigns: one pays anna,
// two pays bo. Amounts are minor units of SEK.
//
//	            click  (cost)  instagram  (cost)  order  (cost)
//	one, anna     100     120        200     250   10 %    12 %
//	two, bo        50      60                      20 %    25 %
type sales struct {
	*market.World
	t     *testing.T
	store int64
	links map[string]string // the path of each link
}

func newSales(t *testing.T, w *market.World) *sales {
	t.Helper()
	ctx := t.Context()
	a := market.Must(w.Links.RegisterAdvertiser(ctx, links.Registration{
		Advertiser: affiliate.Advertiser{Name: "figures", Country: "SE", Currency: "SEK"}, Domains: []string{"figures.example"},
	}))(t)
	s := &sales{World: w, t: t, store: a.ID, links: map[string]string{}}
	w.ID["advertiser figures"] = a.ID
	some := affiliate.Some[int64]
	rate := func(text string) affiliate.Optional[affiliate.Rate] {
		return affiliate.Some(market.Must(affiliate.ParseRate("cpa", text))(t))
	}
	for name, costs := range map[string][]offers.Costs{
		"anna": {
			{Costs: affiliate.Costs{CPC: some(100), InvoiceCPC: some(120), CPA: rate("0.1"), InvoiceCPA: rate("0.12")}},
			{Costs: affiliate.Costs{Source: affiliate.SourceInstagram, CPC: some(200), InvoiceCPC: some(250), CPA: rate("0.1"), InvoiceCPA: rate("0.12")}},
		},
		"bo": {{Costs: affiliate.Costs{CPC: some(50), InvoiceCPC: some(60), CPA: rate("0.2"), InvoiceCPA: rate("0.25")}}},
	} {
		market.Must(w.Offers.CreateOffer(ctx, offers.OfferInput{
			Offer:   offers.Offer{AdvertiserID: a.ID, CreatedBy: market.TheAdvertiser, Type: offers.Standard, Name: name, Title: name, Text: "Text", Costs: costs},
			Targets: offers.Targets{UserIDs: []int64{w.ID["user "+name]}},
		}))(t)
	}
	for name, user := range map[string]string{"a1": "anna", "a2": "anna", "b1": "bo"} {
		view, _, err := w.Links.Convert(ctx, links.Conversion{UserID: w.ID["user "+user], URL: "https://figures.example/" + name})
		w.ID["link "+name] = market.Must(view, err)(t).Link.ID
	}
	market.Must(w.Orders.CreateVoucher(ctx, orders.VoucherInput{AdvertiserID: a.ID, UserID: w.ID["user bo"], Code: "BO10"}))(t)
	return s
}

// click follows a link as a reader of its own, and returns the click.
func (s *sales) click(link, reader, referer string) uuid.UUID {
	s.t.Helper()
	got := s.Follow("/c/{link "+link+"}", "User-Agent", market.Firefox+" "+reader, "Referer", referer)
	to := market.Must(url.Parse(got.Header().Get("Location")))(s.t)
	return market.Must(uuid.Parse(to.Query().Get(links.ClickIDParameter)))(s.t)
}

func (s *sales) order(r orders.Report, value string) orders.Order {
	s.t.Helper()
	r.AdvertiserID, r.Value = s.store, decimal.RequireFromString(value)
	o, _, err := s.Orders.Report(s.t.Context(), r)
	return market.Must(o, err)(s.t)
}

// settle is what the figures of the tests are worked out from, by hand:
//
//	2026-03-18
//	  clicks   anna a1 twice, a2 from Instagram; bo b1       4   cost 120+120+250+60 = 550   earned 450
//	  order 1  click a1, 1000.00, refunded 250.00           750.00   cost  9000   earned  7500
//	  order 2  voucher of bo                                500.00   cost 12500   earned 10000
//	  order 3  click a1, 10.00 EUR, one EUR being 10 SEK    100.00   cost  1200   earned  1000
//	  order 4  click b1, 200.00, declined                        –
//	  order 5  nobody's                                          –
//	2026-03-19
//	  click    anna a1                                       1   cost 120   earned 100
//	  order 6  click a1 of the day before                    99.99   cost  1200   earned  1000
func (s *sales) settle() {
	s.t.Helper()
	ctx := s.t.Context()
	a1 := []uuid.UUID{s.click("a1", "one", "")}
	s.click("a1", "two", "")
	s.click("a2", "three", "https://www.instagram.com/")
	b1 := []uuid.UUID{s.click("b1", "four", "")}
	refunded := s.order(orders.Report{Number: "1", ClickIDs: a1}, "1000")
	s.order(orders.Report{Number: "2", Voucher: "bo10"}, "500")
	s.order(orders.Report{Number: "3", ClickIDs: a1, Currency: "EUR"}, "10")
	declined := s.order(orders.Report{Number: "4", ClickIDs: b1}, "200")
	s.order(orders.Report{Number: "5"}, "700")
	s.Pass(24 * time.Hour)
	s.click("a1", "five", "")
	s.order(orders.Report{Number: "6", ClickIDs: a1}, "99.99")
	_, _, err := s.Orders.Refund(ctx, refunded.ID, orders.RefundInput{Value: affiliate.Some(decimal.NewFromInt(250))})
	market.Must(market.Must(s.Orders.Decline(ctx, declined.ID))(s.t), err)(s.t)
}

// shows compares the whole answer of a route with what it should be.
func (s *sales) shows(path, want string) {
	s.t.Helper()
	got := s.Send("admin", "GET", path, "")
	var is, should any
	if err := json.Unmarshal(got.Body.Bytes(), &is); err != nil || got.Code != http.StatusOK {
		s.t.Fatalf("%s: got %d %s", path, got.Code, got.Body)
	}
	if err := json.Unmarshal([]byte(s.Body(want)), &should); err != nil {
		s.t.Fatalf("%s: %v", want, err)
	}
	if a, b := jsonOf(s.t, is), jsonOf(s.t, should); a != b {
		s.t.Errorf("%s:\n got %s\nwant %s", path, a, b)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	return string(market.Must(json.Marshal(v))(t))
}

func TestFiguresAreThoseOfPencilAndPaper(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		s := newSales(t, w)
		s.settle()
		const days = "from=2026-03-18&to=2026-03-19"
		s.shows("/stores/{advertiser figures}/clicksPerDay?"+days, `{"clicks":5,"order_value":144999,"order_value_formatted":"1 449.99 kr","cost":24570,
			"cost_formatted":"245.70 kr","unique_users":2,"unique_links":3,"nr_orders":4,"per_day":{
			"2026-03-18":{"date":"2026-03-18","clicks":"4","cost":"23250","cost_formatted":"232.50 kr","order_value":"135000","order_value_formatted":"1 350 kr","nr_orders":"3"},
			"2026-03-19":{"date":"2026-03-19","clicks":"1","cost":"1320","cost_formatted":"13.20 kr","order_value":"9999","order_value_formatted":"99.99 kr","nr_orders":"1"}}}`)
		s.shows("/stores/{advertiser figures}/clicksPerDay?from=2026-03-18&to=2026-03-18&users={user bo}", `{"clicks":1,"order_value":50000,"order_value_formatted":"500 kr","cost":12560,
			"cost_formatted":"125.60 kr","unique_users":1,"unique_links":1,"nr_orders":1,"per_day":{
			"2026-03-18":{"date":"2026-03-18","clicks":"1","cost":"12560","cost_formatted":"125.60 kr","order_value":"50000","order_value_formatted":"500 kr","nr_orders":"1"}}}`)
		s.shows("/stores/{advertiser figures}/clicksPerDay?from=2026-03-17&to=2026-03-17", `{"clicks":0,"order_value":0,"order_value_formatted":"0 kr","cost":0,
			"cost_formatted":"0 kr","unique_users":0,"unique_links":0,"nr_orders":0,"per_day":{
			"2026-03-17":{"date":"2026-03-17","clicks":"0","cost":"0","cost_formatted":"0 kr","order_value":"0","order_value_formatted":"0 kr","nr_orders":"0"}}}`)
		s.shows("/stores/{advertiser figures}/generalStats", `{"clicks":5,"unique_users":2,"tags":3,"invoice_cpc":670,"avrage_cpc":4010,
			"currency":{"code":"SEK","name":"Swedish krona","symbol":"kr","subunit":"öre","is_before":0,"ratio_to_eur":0.09},
			"invoice_cpc_formated":"6.70 kr","avrage_cpc_formated":"40.10 kr"}`)
		s.shows("/stores/{advertiser figures}/userStats?orderBy=order_value&orderByOrder=desc&"+days, `[
			{"username":"anna","id":‹user anna›,"instagram":"1","blog":"3","clicks":4,"nr_orders":3,"order_value":94999,"order_value_formated":"949.99 kr"},
			{"username":"bo","id":‹user bo›,"instagram":"0","blog":"1","clicks":1,"nr_orders":1,"order_value":50000,"order_value_formated":"500 kr"}]`)
		s.shows("/stores/{advertiser figures}/userStats?q=bo&page=1&"+days, `[
			{"username":"bo","id":‹user bo›,"instagram":"0","blog":"1","clicks":1,"nr_orders":1,"order_value":50000,"order_value_formated":"500 kr"}]`)
		s.shows("/stores/{advertiser figures}/userStats?page=2&"+days, `[]`)
		a1 := `{"username":"anna","user_id":‹user anna›,"tag_id":‹link a1›,"link":"https://figures.example/a1","text":"","instagram":"0","blog":"3","clicks":3,"invoice_cpc":"360",
			"average_cpc":"3266.6667","nr_orders":3,"order_value":94999,"order_value_formated":"949.99 kr","average_cpc_formated":"32.67 kr","invoice_cpc_formated":"3.60 kr"}`
		a2 := `{"username":"anna","user_id":‹user anna›,"tag_id":‹link a2›,"link":"https://figures.example/a2","text":"","instagram":"1","blog":"0","clicks":1,"invoice_cpc":"250",
			"average_cpc":"200.0000","nr_orders":0,"order_value":0,"order_value_formated":"0 öre","average_cpc_formated":"2 kr","invoice_cpc_formated":"2.50 kr"}`
		b1 := `{"username":"bo","user_id":‹user bo›,"tag_id":‹link b1›,"link":"https://figures.example/b1","text":"","instagram":"0","blog":"1","clicks":1,"invoice_cpc":"60",
			"average_cpc":"50.0000","nr_orders":0,"order_value":0,"order_value_formated":"0 öre","average_cpc_formated":"0.50 kr","invoice_cpc_formated":"0.60 kr"}`
		s.shows("/stores/{advertiser figures}/linkStats?orderBy[]=nr_orders&orderByOrder[]=asc&orderBy[]=invoice_cpc&orderByOrder[]=desc&"+days, "["+a2+","+b1+","+a1+"]")
		s.shows("/stores/{advertiser figures}/linkStats?users={user anna}&orderBy[]=clicks&orderByOrder[]=desc&"+days, "["+a1+","+a2+"]")
	})
}

func TestFiguresOfTagsAddUpUnderTheirName(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		s := newSales(t, w)
		s.settle()
		for i, tag := range []affiliate.UserTag{
			{Name: "stars", Slug: "stars", AccessLevel: affiliate.AccessAll}, {Name: "stars", Slug: "stars", AccessLevel: affiliate.AccessStore, AdvertiserID: s.store},
			{Name: "new", Slug: "new", AccessLevel: affiliate.AccessAll},
		} {
			made, err := w.Core.CreateUserTag(t.Context(), tag)
			is.NoErr(err)
			w.ID["tag "+[]string{"all", "own", "new"}[i]] = made.ID
		}
		for name, tag := range map[string]string{"anna": "all", "bo": "own"} {
			_, err := w.Core.UpdateUser(t.Context(), w.ID["user "+name], func(u *affiliate.User) { u.TagIDs = []int64{w.ID["tag "+tag]} })
			is.NoErr(err)
		}
		s.shows("/advertiser/stores/{advertiser figures}/user-tag-stats?tags=[{tag all},{tag own},{tag new}]&types=[clicks,estimated_cost]&from=2026-03-18&to=2026-03-19", `{
			"clicks":{"2026-03-18":{"stars":"4","new":"0"},"2026-03-19":{"stars":"1","new":"0"}},
			"estimated_cost":{"2026-03-18":{"stars":"23250","new":"0"},"2026-03-19":{"stars":"1320","new":"0"}}}`)
		s.shows("/advertiser/stores/{advertiser figures}/user-tag-stats?tags[]={tag own}&from=2026-03-18&to=2026-03-18", `{
			"order_value":{"2026-03-18":{"stars":"50000"}},"nr_orders":{"2026-03-18":{"stars":"1"}},"clicks":{"2026-03-18":{"stars":"1"}},"estimated_cost":{"2026-03-18":{"stars":"12560"}}}`)
	})
}

func TestStatisticsWithoutDatesHaveThirtyDaysAndEqualARecount(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		s := newSales(t, w)
		s.settle()
		var days map[string]struct {
			Date       string `json:"date"`
			Orders     int64  `json:"nr_orders"`
			OrderValue int64  `json:"order_value"`
		}
		is.NoErr(json.Unmarshal(s.Send("admin", "GET", "/stores/{advertiser figures}/orders/perDate", "").Body.Bytes(), &days))
		is.Equal(len(days), 30)
		is.Equal(days["2026-02-18"].Date, "2026-02-18") // 29 days before
		is.Equal(days["2026-02-18"].Orders, int64(0))

		// What the list of orders has adds up to what the statistics say.
		var list struct {
			Data []struct {
				UserID *int64          `json:"user_id"`
				Number string          `json:"order_id"`
				Value  decimal.Decimal `json:"order_value"`
				Status string          `json:"status"`
			} `json:"data"`
		}
		is.NoErr(json.Unmarshal(s.Send("admin", "GET", "/advertiser/stores/{advertiser figures}/orders", "").Body.Bytes(), &list))
		is.Equal(len(list.Data), 6)
		paid := int64(0)
		for _, o := range list.Data {
			is.Equal(o.UserID == nil, o.Number == "5")
			if o.UserID != nil && o.Status != string(orders.Declined) {
				paid++
			}
		}
		is.Equal(days["2026-03-18"].Orders+days["2026-03-19"].Orders, paid)
		is.Equal(days["2026-03-18"].OrderValue, int64(135000))

		differences, err := w.Links.Verify(t.Context())
		is.NoErr(err)
		is.Equal(len(differences), 0)
		differences, err = w.Orders.Verify(t.Context())
		is.NoErr(err)
		is.Equal(len(differences), 0)
	})
}

// However many clicks and orders there are, statistics read none of them.
func TestStatisticsReadRollUpsAlone(t *testing.T) {
	t.Parallel()
	dsn := backends.Database(t)
	s := newSales(t, newWorld(t, backends.Postgres(t, dsn)))
	s.settle()
	s.ID["tag stars"] = market.Must(s.Core.CreateUserTag(t.Context(), affiliate.UserTag{Name: "stars", Slug: "stars", AccessLevel: affiliate.AccessAll}))(t).ID
	var before []string
	routes := []string{
		"/stores/{advertiser figures}/clicksPerDay?", "/stores/{advertiser figures}/generalStats?", "/stores/{advertiser figures}/orders/perDate?",
		"/stores/{advertiser figures}/userStats?", "/stores/{advertiser figures}/linkStats?", "/advertiser/stores/{advertiser figures}/user-tag-stats?tags[]={tag stars}&",
	}
	answer := func(route string) string {
		got := s.Send("admin", "GET", route+"from=2026-03-18&to=2026-03-19", "")
		if got.Code != http.StatusOK {
			t.Fatalf("%s: got %d %s", route, got.Code, got.Body)
		}
		return got.Body.String()
	}
	for _, route := range routes {
		before = append(before, answer(route))
	}
	backends.HideEvents(t, dsn)
	for i, route := range routes {
		if got := answer(route); got != before[i] {
			t.Errorf("%s:\n got %s\nwant %s", route, got, before[i])
		}
	}
}
