package metapic_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/xuri/excelize/v2"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

func TestACampaignTakesBothFormsOfMoney(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		made := w.Send("advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"standard","name":"n","campaign_title":"T",
			"budget_limit":{"amount":"1.2","currency":"SEK"},"one_time_payment":"250","max_clicks":"7",
			"traffic_sources_costs":[{"source":0,"cpc":230,"cpa":"0.2","invoice_cpc":{"amount":"2.5","currency":"SEK"},"user_revenue":0.5}]}`)
		is.Equal(made.Code, 201)
		got := w.Send("advertiser", "GET", "/v2/offers/"+fmt.Sprint(market.Field(t, made, "data.id")), "")
		is.Equal(market.Field(t, got, "targets.user_ids"), []any{}) // everyone
		is.Equal(market.Field(t, got, "budget_limit"), 120.0)
		is.Equal(market.Field(t, got, "one_time_payment"), 250.0)
		is.Equal(market.Field(t, got, "max_clicks"), 7.0)
		is.Equal(market.Field(t, got, "traffic_sources_costs.0.cpc"), 230.0)
		is.Equal(market.Field(t, got, "traffic_sources_costs.0.cpa"), 0.2)
		is.Equal(market.Field(t, got, "traffic_sources_costs.0.invoice_cpc"), 250.0)
		is.Equal(market.Field(t, got, "traffic_sources_costs.0.invoice_cpa"), nil)
		is.Equal(market.Field(t, got, "traffic_sources_costs.0.user_revenue"), 0.5)
	})
}

func TestAnUpdateChangesWhatIsSent(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		is.Equal(w.Send("advertiser", "PUT", "/v2/offers/{offer summer}", `{"name":"renamed","has_product_seeding":"1"}`).Code, 200)
		got := w.Send("advertiser", "GET", "/v2/offers/{offer summer}", "")
		is.Equal(market.Field(t, got, "name"), "renamed")
		is.Equal(market.Field(t, got, "has_product_seeding"), true)
		is.Equal(market.Field(t, got, "budget_limit"), 50_000.0) // as it was
		is.Equal(market.Field(t, got, "campaign_text"), "Walk!")
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer summer}", `{"name":null,"budget_limit":null,"shared_budget_id":null,"campaign_text":null,"traffic_sources_costs":[]}`).Code, 200)
		got = w.Send("advertiser", "GET", "/v2/offers/{offer summer}", "")
		is.Equal(market.Field(t, got, "name"), "renamed") // a campaign has one
		is.Equal(market.Field(t, got, "budget_limit"), nil)
		is.Equal(market.Field(t, got, "shared_budget_id"), nil)
		is.Equal(market.Field(t, got, "campaign_text"), "")
		is.Equal(market.Field(t, got, "traffic_sources_costs.0.cpc"), nil) // the advertiser's holds
	})
}

// The world stands at 2026-03-18 11:42:10.
func TestADateWithoutATimeIsThatWholeDay(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		set := func(body string) int { return w.Send("advertiser", "PATCH", "/v2/offers/{offer summer}", body).Code }
		show := func() (status, until any) {
			got := w.Send("advertiser", "GET", "/v2/offers/{offer summer}", "")
			return market.Field(t, got, "status"), market.Field(t, got, "valid_until")
		}
		is.Equal(set(`{"valid_from":"2026-03-18","valid_until":"2026-03-18"}`), 200)
		status, until := show()
		is.Equal(status, "active") // until the day is over
		is.Equal(until, "2026-03-18 00:00:00")
		is.Equal(set(`{"valid_until":"2026-03-18 00:00:00"}`), 200) // what was printed comes back: no change
		status, _ = show()
		is.Equal(status, "active")
		w.Pass(12*time.Hour + 17*time.Minute + 49*time.Second) // to the last second
		status, _ = show()
		is.Equal(status, "active")
		w.Pass(time.Second)
		status, until = show()
		is.Equal(status, "ended")
		is.Equal(until, "2026-03-18 00:00:00")

		is.Equal(set(`{"valid_until":"2026-03-20T01:30:00+02:00"}`), 200) // converted
		_, until = show()
		is.Equal(until, "2026-03-19 23:30:00")
		is.Equal(set(`{"valid_from":"2026-03-20","valid_until":"2026-03-19"}`), 422)
		is.Equal(set(`{"valid_until":null}`), 200)
		_, until = show()
		is.Equal(until, nil)
	})
}

func TestStatisticsTakeWholeDaysOnly(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		for start, want := range map[string]int{
			"2026-03-18": 200, "2026-03-18T00:00:00Z": 200, "2026-03-18%2000:00:00": 200,
			"2026-03-18T00:00:00%2B02:00": 422, "2026-03-18T10:00:00Z": 422,
		} {
			is.Equal(w.Send("advertiser", "GET", "/v2/offers/{offer summer}/stats?start_date="+start+"&end_date=2026-03-19", "").Code, want) // start
		}
	})
}

func TestASharedBudgetIsMadeWithItsCampaignOrNamed(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer run}", `{"shared_budget":{"title":"Runners","amount":{"amount":"100","currency":"SEK"}}}`).Code, 200)
		list := w.Send("advertiser", "GET", "/v2/stores/{advertiser acme}/shared-budgets", "")
		is.Equal(market.NamesOnPlain(t, list, "title"), "Budget acme Budget spare Runners")
		// Named by its id it is taken as it is: other campaigns may draw on it.
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer run}", `{"shared_budget_id":‹budget spare›,"shared_budget":{"title":"Renamed","amount":1}}`).Code, 200)
		got := w.Send("advertiser", "GET", "/v2/stores/{advertiser acme}/shared-budgets/{budget spare}", "")
		is.Equal(market.Field(t, got, "title"), "Budget spare")
		is.Equal(market.Field(t, got, "amount"), 100_000.0)
		is.Equal(market.Field(t, got, "amount_v2"), map[string]any{"amount": "1000", "currency": "SEK"})
		is.Equal(market.Field(t, got, "consumed_budget_v2"), map[string]any{"amount": "0", "currency": "SEK"})
		is.Equal(w.Send("advertiser", "DELETE", "/v2/stores/{advertiser acme}/shared-budgets/{budget spare}", "").Code, 409)
	})
}

// What only those see who act for the advertiser.
var secretFields = []string{"budget_limit", "max_clicks", "shared_budget_id", "consumed_budget", "invoice_cpc", "invoice_cpa", "user_revenue", `"name"`, "internal", "user_ids"}

func TestCreatorsSeeNeitherBudgetsNorInvoiceRates(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		for _, path := range []string{
			"/v2/offers/{offer summer}", "/v2/offer-by-token/{token summer}", "/v2/offers?include[]=traffic_sources_costs",
			"/v2/users/{user anna}/offers", "/v2/users/{user anna}/campaigns",
		} {
			for _, who := range []string{"creator", "client"} {
				got := w.Send(who, "GET", path, "")
				for _, secret := range secretFields {
					if strings.Contains(got.Body.String(), secret) {
						t.Errorf("%s as %s: shows %s in %s", path, who, secret, got.Body)
					}
				}
			}
		}
		is := is.New(t)
		got := w.Send("creator", "GET", "/v2/offers?include[]=traffic_sources_costs&query=summer", "")
		is.Equal(market.Field(t, got, "data.0.traffic_sources_costs.0.cpc"), 230.0)
	})
}

func TestSkippedTargetsAreTold(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		// carl is on acme's blocklist.
		got := w.Send("advertiser", "POST", "/v2/stores/{advertiser acme}/offers", `{"type":"store_accept","name":"n","targets":{
			"user_ids":[‹user anna›,‹user carl›,999999],"user_tag_ids":[‹tag vip›,‹tag norse›],"emails":["New@Example.com "],"revenue_tier_ids":[999999]}}`)
		is.Equal(got.Code, 201)
		want := fmt.Sprintf(`{"user_ids":[%s,999999],"user_tag_ids":[%s],"revenue_tier_ids":[999999]}`, w.Value("user carl"), w.Value("tag norse"))
		for _, at := range []string{"warnings.skipped_targets", "data.warnings.skipped_targets"} {
			told := market.Must(json.Marshal(market.Field(t, got, at)))(t)
			var inOrder map[string]any
			is.NoErr(json.Unmarshal([]byte(want), &inOrder))
			is.Equal(string(told), string(market.Must(json.Marshal(inOrder))(t)))
		}
		targets := w.Send("advertiser", "GET", "/v2/offers/"+fmt.Sprint(market.Field(t, got, "data.id"))+"/targets", "")
		is.Equal(targets.Body.String(), fmt.Sprintf(`{"user_ids":[%s],"user_tag_ids":[%s],"store_group_ids":[],"emails":["new@example.com"],"social_media_identifiers":[],"client_ids":[],"revenue_tier_ids":[]}`,
			w.Value("user anna"), w.Value("tag vip")))
	})
}

func TestAPreRegistrationBecomesTheUsersPart(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		path := "/v2/offers/{offer vips}/participants/{participant handle}"
		is.Equal(market.Field(t, w.Send("advertiser", "GET", path, ""), "pre_registered_identifier"), "vera.vlogs")
		vera := market.Must(w.Core.CreateUser(t.Context(), affiliate.User{
			Username: "vera", DisplayName: "Vera", SocialMedia: []affiliate.SocialMedia{{Type: "tiktok", Identifier: "@Vera.Vlogs"}},
		}))(t)
		got := w.Send("advertiser", "GET", path, "")
		is.Equal(market.Field(t, got, "user_id"), float64(vera.ID))
		is.Equal(market.Field(t, got, "display_name"), "Vera")
		is.Equal(market.Field(t, got, "social_media.0.identifier"), "vera.vlogs")
		is.True(!strings.Contains(got.Body.String(), "pre_registered"))
	})
}

func TestCampaignsChangeStatusWithTheClock(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer run}", `{"valid_from":"2026-04-01","valid_until":"2026-05-01T10:00:00"}`).Code, 200)
		status := func(want string) {
			t.Helper()
			is.Equal(market.Field(t, w.Send("advertiser", "GET", "/v2/offers/{offer run}", ""), "status"), want)
			for _, other := range []string{"scheduled", "active", "ended", "paused"} {
				listed := market.Names(t, w.Send("admin", "GET", "/v2/offers?query=nike&statuses[]="+other, ""), "status")
				is.Equal(listed == want, other == want) // the filter knows the same
			}
		}
		status("scheduled")
		w.Pass(14 * 24 * time.Hour)
		status("active")
		is.Equal(w.Send("advertiser", "POST", "/v2/offers/{offer run}/pause", "").Code, 200)
		status("paused")
		is.Equal(w.Send("advertiser", "POST", "/v2/offers/{offer run}/unpause", "").Code, 200)
		w.Pass(30 * 24 * time.Hour)
		status("ended")
	})
}

func TestReadsWithABodyTakeTheQueryFirst(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		list := func(query, body string) string {
			return market.Names(t, w.Send("advertiser", "GET", "/v2/offers/{offer vips}/participants"+query, body), "status")
		}
		is.Equal(list("", ""), "open applied open")
		is.Equal(list("", `{"status":"applied"}`), "applied")
		is.Equal(list("?status=open", `{"status":"applied"}`), "open open")
		is.Equal(list("", `{"query":"vera"}`), "open")
		is.Equal(list("?query=CREATOR@", ""), "applied")
	})
}

func TestParticipantsArePaidByBothFormsOfMoney(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		path := "/v2/offers/{offer vips}/participants/{participant anna}/payment-amount"
		for sent, want := range map[string]any{
			`{"amount":"1.2","currency":"SEK"}`: map[string]any{"amount": "1.2", "currency": "SEK"},
			`12345`:                             map[string]any{"amount": "123.45", "currency": "SEK"},
			`null`:                              nil,
		} {
			got := w.Send("advertiser", "PUT", path, `{"payment_amount":`+sent+`}`)
			is.Equal(got.Code, 200)
			is.Equal(market.Field(t, got, "payment_amount"), want)
		}
		is.Equal(w.Send("advertiser", "PUT", path, `{}`).Code, 422)
	})
}

func TestACreatorAppliesAndIsAccepted(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		list := func(query string) string {
			return market.NamesOnPlain(t, w.Send("creator", "GET", "/v2/users/{user anna}/campaigns"+query, ""), "campaign_title")
		}
		is.Equal(list(""), "For the few Nike run") // no standard ones
		is.Equal(list("?statuses[]=applied"), "Nike run")
		is.Equal(list("?name=FEW"), "For the few")
		move := func(to string) int {
			return w.Send("advertiser", "PATCH", "/v2/offers/{offer run}/participants/{participant run}/update-status", `{"status":"`+to+`"}`).Code
		}
		is.Equal(move("accepted"), 200)
		is.Equal(move("applied"), 409)
		is.Equal(move("accepted"), 200) // the same is no move
		is.Equal(list("?status=accepted"), "Nike run")
		is.Equal(market.Field(t, w.Send("creator", "GET", "/v2/users/{user anna}/campaigns?status=accepted", ""), "0.participation.status"), "accepted")
	})
}

func TestCommentsAreTheirAuthorsToChange(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		comments := "/v2/offer-users/{participant anna}/comments"
		mine := w.Send("admin", "POST", comments, `{"comment":"from the operator"}`)
		is.Equal(mine.Code, 201)
		is.Equal(market.Field(t, mine, "author.username"), "The admin")
		path := comments + "/" + fmt.Sprint(market.Field(t, mine, "id"))
		is.Equal(w.Send("advertiser", "PATCH", path, `{"comment":"mine now"}`).Code, 403)
		is.Equal(w.Send("advertiser", "DELETE", path, "").Code, 403)
		w.Pass(time.Minute)
		changed := w.Send("admin", "PATCH", comments+"/{comment anna}", `{"comment":"the operator may"}`)
		is.Equal(changed.Code, 200)
		is.Equal(market.Field(t, changed, "comment"), "the operator may")
		is.Equal(market.Field(t, changed, "author.username"), "The advertiser")
		is.Equal(market.Field(t, changed, "updated_at"), "2026-03-18T11:43:10.000000Z")
		is.Equal(w.Send("admin", "DELETE", path, "").Code, 204)
		is.Equal(w.Send("admin", "DELETE", path, "").Code, 404)
	})
}

func TestActivitiesAreUnreadUntilTheAdvertiserReadsThem(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		unread := func() any {
			return market.Field(t, w.Send("advertiser", "GET", "/v2/offers/{offer run}/participants", `{"include":["has_unread_notifications"]}`), "data.0.has_unread_notifications")
		}
		read := func(who string) any {
			got := w.Send(who, "GET", "/v2/offer-users/{participant run}/activities?include[]=has_unread_notification", "")
			is.Equal(market.Field(t, got, "data.0.type"), "status")
			is.Equal(market.Field(t, got, "data.0.from"), "open")
			is.Equal(market.Field(t, got, "data.0.to"), "applied")
			is.Equal(market.Field(t, got, "data.0.actor.username"), "anna")
			is.Equal(market.Field(t, got, "has_unread_notification"), market.Field(t, got, "data.0.is_unread"))
			return market.Field(t, got, "data.0.is_unread")
		}
		is.Equal(unread(), true)
		is.Equal(read("admin"), true) // leaves no trace
		is.Equal(read("advertiser"), true)
		is.Equal(read("advertiser"), false)
		is.Equal(unread(), false)
	})
}

func TestListsAreSortedAndPaged(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer run}", `{"valid_until":"2026-06-01"}`).Code, 200)
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer old}", `{"valid_until":"2026-05-01"}`).Code, 200)
		is.Equal(w.Send("advertiser", "POST", "/v2/offers/{offer summer}/pause", "").Code, 200)
		list := func(query string) string {
			return market.Names(t, w.Send("admin", "GET", "/v2/offers?store_ids[]={advertiser acme}&"+query, ""), "campaign_title")
		}
		is.Equal(list("custom_sort_by=ends_soon"), "Of last year Nike run Summer of shoes For the few")
		is.Equal(list("custom_sort_by=active_first"), "For the few Nike run Of last year Summer of shoes")
		is.Equal(list("sort_by=campaign_title:asc&size=3"), "For the few Nike run Of last year")
		is.Equal(list("sort_by=campaign_title:asc&size=3&page=2"), "Summer of shoes")
	})
}

func TestTheWholeListIsExported(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	handles := make([]string, 1100) // more than are read at a time
	for i := range handles {
		handles[i] = fmt.Sprintf("=cmd%d", i)
	}
	is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer old}", string(market.Must(json.Marshal(map[string]any{
		"campaign_title": "=HYPERLINK(\"https://evil.example\")", "targets": map[string]any{"social_media_identifiers": handles},
	}))(t))).Code, 200)

	got := w.Send("advertiser", "GET", "/v2/offers?advertiser_id={advertiser acme}&format=csv&size=1&sort_by=name:desc", "")
	is.Equal(got.Header().Get("Content-Type"), "text/csv; charset=utf-8")
	is.Equal(got.Header().Get("Content-Disposition"), `attachment; filename="campaigns.csv"`)
	const mark = "\ufeff"
	is.Equal(string(got.Body.Next(len(mark))), mark)
	rows := market.Must(csv.NewReader(got.Body).ReadAll())(t)
	is.Equal(len(rows), 1+4)
	is.Equal(rows[0][:3], []string{"id", "name", "campaign_title"})
	is.Equal(rows[4][1:3], []string{"internal old", `'=HYPERLINK("https://evil.example")`})

	got = w.Send("advertiser", "GET", "/v2/offers/{offer old}/participants?format=xlsx", "")
	is.Equal(got.Code, 200)
	book := market.Must(excelize.OpenReader(got.Body))(t)
	sheet := market.Must(book.GetRows(book.GetSheetName(0)))(t)
	is.Equal(len(sheet), 1+len(handles))
	is.Equal(sheet[1][3], sheet[1][5]) // a text cell, as it is
	is.NoErr(book.Close())
	is.Equal(w.Send("advertiser", "HEAD", "/v2/offers?advertiser_id={advertiser acme}&format=xlsx", "").Body.Len(), 0)
}

// Rows that are there throughout are in the file once each, whatever happens to
// others while it is read.
func TestAnExportLosesAndRepeatsNothingWhileRowsChange(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		const campaigns, restless = 2500, 400 // more than two batches
		old := market.Must(w.Offers.Offer(t.Context(), w.ID["offer old"]))(t)
		change := func(fn func(ctx context.Context, tx offers.Tx) error) {
			t.Helper()
			is.NoErr(w.Backend.Offers.Write(t.Context(), fn))
		}
		var ids []int64
		change(func(ctx context.Context, tx offers.Tx) error {
			ids = ids[:0]
			for i := range campaigns {
				o := old.Offer
				o.ID, o.Token, o.Name, o.PausedAt, o.ValidFrom, o.ValidUntil = 0, fmt.Sprintf("token%011d", i), "restless", time.Time{}, time.Time{}, time.Time{}
				o.BudgetLimit, o.MaxClicks, o.SharedBudgetID = affiliate.Optional[int64]{}, affiliate.Optional[int64]{}, 0
				if i < campaigns-restless && i >= restless {
					o.Name = "steady"
				}
				o, err := tx.Offers().Add(ctx, o)
				if err != nil {
					return err
				}
				ids = append(ids, o.ID)
			}
			return nil
		})
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for paused := true; ; paused = !paused {
				select {
				case <-stop:
					return
				default:
				}
				change(func(ctx context.Context, tx offers.Tx) error {
					for i, id := range ids {
						if i >= restless && i < campaigns-restless {
							continue
						}
						o, err := tx.Offers().Get(ctx, id)
						if err != nil {
							return err
						}
						if o.PausedAt = (time.Time{}); paused {
							o.PausedAt = w.Clock()
						}
						if err := tx.Offers().Update(ctx, o); err != nil {
							return err
						}
					}
					return nil
				})
			}
		}()
		for _, sort := range []string{"id:asc", "created_at:desc", "name:asc", "id:asc"} {
			got := w.Send("advertiser", "GET", "/v2/offers?advertiser_id={advertiser acme}&format=csv&bom=0&statuses[]=active&sort_by="+sort, "")
			is.Equal(got.Code, 200)
			seen := make(map[string]int)
			for _, row := range market.Must(csv.NewReader(got.Body).ReadAll())(t) {
				if row[1] == "steady" {
					seen[row[0]]++
				}
			}
			is.Equal(len(seen), campaigns-2*restless) // none lost
			for id, n := range seen {
				if n != 1 {
					t.Errorf("sorted by %s, campaign %s is there %d times", sort, id, n)
				}
			}
		}
		close(stop)
		<-stopped
	})
}

func TestACampaignsStatisticsAreOfItsOwnClicks(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		err := w.Backend.Offers.Write(t.Context(), func(ctx context.Context, tx offers.Tx) error {
			at := time.Date(2026, 3, 18, 0, 0, 0, 0, time.UTC)
			event := func(kind stats.Kind, offer string, day, reader int, value, earning, cost int64) stats.Fact {
				sek := func(minor int64) affiliate.Money { return affiliate.NewMoney(minor, "SEK") }
				return stats.Fact{
					Kind: kind, Day: at.AddDate(0, 0, day), AdvertiserID: w.ID["advertiser acme"], OfferID: w.ID[offer], UserID: w.ID["user anna"],
					Reader: stats.Reader{byte(reader)}, Value: sek(value), Earning: sek(earning), Cost: sek(cost),
				}
			}
			return stats.Record(ctx, tx,
				event(stats.ClickValid, "offer vips", 0, 1, 0, 100, 150), event(stats.ClickValid, "offer vips", 0, 1, 0, 100, 150),
				event(stats.ClickValid, "offer vips", 0, 2, 0, 100, 150), event(stats.ClickValid, "offer vips", 2, 1, 0, 100, 150),
				event(stats.ClickBot, "offer vips", 2, 3, 0, 0, 0), event(stats.OrderPaid, "offer vips", 2, 0, 50000, 20, 30),
				event(stats.ClickValid, "offer run", 0, 1, 0, 1, 1))
		})
		is.NoErr(err)
		got := w.Send("advertiser", "GET", "/v2/offers/{offer vips}/stats", `{"start_date":"2026-03-18","end_date":"2026-03-20"}`)
		is.Equal(got.Body.String(), `{"clicks":4,"unique_users":3,"orders":1,"order_value":{"amount":"500","currency":"SEK"},"cost":{"amount":"6.3","currency":"SEK"},"earnings":{"amount":"4.2","currency":"SEK"},`+
			`"per_day":[{"date":"2026-03-18","clicks":3,"orders":0,"order_value":{"amount":"0","currency":"SEK"},"cost":{"amount":"4.5","currency":"SEK"}},`+
			`{"date":"2026-03-19","clicks":0,"orders":0,"order_value":{"amount":"0","currency":"SEK"},"cost":{"amount":"0","currency":"SEK"}},`+
			`{"date":"2026-03-20","clicks":1,"orders":1,"order_value":{"amount":"500","currency":"SEK"},"cost":{"amount":"1.8","currency":"SEK"}}]}`)
		is.Equal(market.Field(t, w.Send("advertiser", "GET", "/v2/offers/{offer vips}/stats?start_date=2026-03-18&end_date=2026-03-18", ""), "clicks"), 3.0)
		parts := w.Send("advertiser", "GET", "/v2/offers/{offer vips}/participants-stats?sort_by=clicks:desc&start_date=2026-03-18", "")
		is.Equal(market.Field(t, parts, "data.0.estimated_gp"), 210.0)
		is.Equal(market.Field(t, parts, "data.0.clicks"), 4.0)
		is.Equal(market.Field(t, parts, "data.0.estimated_earning_to_cost_ratio"), 79.3651) // 500.00 by 6.30
		byRatio := w.Send("advertiser", "GET", "/v2/offers/{offer vips}/participants-stats?sort_by=estimated_earning_to_cost_ratio:desc", "")
		is.Equal(market.Field(t, byRatio, "data.0.clicks"), 4.0)
		is.True(strings.Contains(byRatio.Body.String(), `"estimated_earning_to_cost_ratio":null`))
		is.Equal(market.Names(t, w.Send("advertiser", "GET", "/v2/offers/{offer vips}/participants-stats?active=1", ""), "display_name"), "ANNA")
		counts := w.Send("advertiser", "GET", "/v2/offers/{offer vips}/participants-count-by-click-activity?start_date=2026-03-20&end_date=2026-03-20", "")
		is.Equal(counts.Body.String(), `{"active":1,"inactive":2}`)
	})
}

func TestAClickIsChargedToTheCampaign(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		is.Equal(w.Send("advertiser", "POST", "/v2/offers/{offer old}/pause", "").Code, 200) // it ranks before
		is.Equal(w.Follow("/c/{link anna}", "User-Agent", market.Firefox).Code, 302)
		got := w.Send("advertiser", "GET", "/v2/offers/{offer summer}", "")
		is.Equal(market.Field(t, got, "clicks"), 1.0)
		is.Equal(market.Field(t, got, "consumed_budget"), 275.0)
		is.Equal(market.Field(t, w.Send("advertiser", "GET", "/v2/stores/{advertiser acme}/shared-budgets/{budget acme}", ""), "consumed_budget"), 275.0)
		stats := w.Send("advertiser", "GET", "/v2/offers/{offer summer}/stats?start_date=2026-03-18&end_date=2026-03-18", "")
		is.Equal(market.Field(t, stats, "cost"), map[string]any{"amount": "2.75", "currency": "SEK"})
		is.Equal(market.Field(t, stats, "earnings"), map[string]any{"amount": "2.3", "currency": "SEK"})

		// A campaign that is used up has ended, in the list as in the filter.
		is.Equal(w.Send("advertiser", "PATCH", "/v2/offers/{offer summer}", `{"budget_limit":275}`).Code, 200)
		is.Equal(market.Field(t, w.Send("creator", "GET", "/v2/offers/{offer summer}", ""), "status"), "ended")
		is.Equal(market.Names(t, w.Send("admin", "GET", "/v2/offers?statuses[]=ended", ""), "campaign_title"), "Summer of shoes")
	})
}
