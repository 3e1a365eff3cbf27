package google_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/google"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// clock is a time that tests move.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time       { return time.UnixMicro(c.micros.Load()) }
func (c *clock) pass(d time.Duration) { c.micros.Add(d.Microseconds()) }

func token() oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"})
}

func driver(t *testing.T, h http.Handler, c *clock, change func(*google.Options)) *google.Driver {
	t.Helper()
	o := google.Options{Token: token(), HTTP: adsynctest.Client(h), Clock: c.now}
	if change != nil {
		change(&o)
	}
	d, err := google.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const source = "accounts/7/dataSources/8"

var at = adsync.AdAccount{ID: "1234567890", AccountID: "account", CatalogID: source}

func TestTheDriverPassesTheSuite(t *testing.T) {
	adsynctest.RunDriver(t, func(t *testing.T) adsynctest.Service {
		c := newClock()
		fake := adsynctest.NewGoogle(adsynctest.GoogleOptions{Clock: c.now, Version: google.DefaultVersion})
		return adsynctest.Service{
			Driver: driver(t, fake, c, nil), AdAccount: at, SetFault: fake.SetFault, Pass: c.pass,
			Count: func(k adsync.Kind) int {
				if k == adsync.KindItem {
					return len(fake.Products(source))
				}
				return len(fake.Objects(map[adsync.Kind]string{adsync.KindCampaign: "campaigns", adsync.KindAdSet: "adGroups", adsync.KindAd: "adGroupAds"}[k]))
			},
			Rename: func(id, name, who string) { fake.Edit("customers/1234567890/campaigns/"+id, "name", name, who) },
		}
	})
}

func campaign(c adsync.Configuration) adsync.Target {
	return adsync.Target{Kind: adsync.KindCampaign, AdAccount: at, Marker: "abc123", Campaign: adsync.Campaign{State: adsync.Active, Title: "Summer", Configuration: c}}
}

func budget(amount int64, p adsync.Places) adsync.Configuration {
	return adsync.Configuration{DailyBudget: affiliate.Some(adsync.Budget{Amount: amount}), Geo: affiliate.Some(adsync.Targeting{Places: p})}
}

func TestAmountsAreMicrosAndCountriesAreCriteria(t *testing.T) {
	is := is.New(t)
	d := driver(t, http.NotFoundHandler(), newClock(), nil)
	f, err := d.Object(campaign(budget(1299, adsync.Places{Countries: []string{"US", "BR"}, CriteriaIDs: []string{"21137"}})))
	is.NoErr(err)
	is.Equal(f["budget.amount_micros"], "12990000") // 12.99
	is.Equal(f["locations"], `["2076","21137","2840"]`)
	f, err = d.Object(adsync.Target{Kind: adsync.KindItem, AdAccount: at, Item: adsync.Item{
		Title: "x", Link: "https://x.example", ContentLanguage: "pt-br", Price: affiliate.NewMoney(21179, "JPY"), Images: []adsync.Image{{URL: "https://x.example/p", Order: 1}},
	}})
	is.NoErr(err)
	is.Equal([]string{f["price.amount_micros"], f["price.currency_code"], f["content_language"], f["feed_label"]}, []string{"21179000000", "JPY", "pt", "BR"})
}

func TestWhatIsMissingAtGoogleIsNamed(t *testing.T) {
	is := is.New(t)
	d := driver(t, http.NotFoundHandler(), newClock(), nil)
	reason := func(target adsync.Target) string {
		_, err := d.Object(target)
		b, ok := err.(*adsync.Blocked)
		if !ok {
			return ""
		}
		return b.Reason + " " + b.Field
	}
	is.Equal(reason(campaign(adsync.Configuration{})), "budget_required service_configurations.daily_budget")
	is.Equal(reason(campaign(budget(1, adsync.Places{Zips: []string{"1"}}))), "location_unsupported service_configurations.geo_locations.regions")
	is.Equal(reason(campaign(budget(1, adsync.Places{CustomLocations: []adsync.CustomLocation{{}}}))), "location_unsupported service_configurations.geo_locations.custom_locations")
	is.Equal(reason(adsync.Target{Kind: adsync.KindAd, Ad: adsync.Ad{Type: adsync.Video}}), "ad_type_unsupported ad_type")
	is.Equal(reason(adsync.Target{Kind: adsync.KindItem, AdAccount: at, Item: adsync.Item{Title: "x"}}), "field_required link")
	is.Equal(reason(adsync.Target{Kind: adsync.KindItem, AdAccount: adsync.AdAccount{CatalogID: "5"}, Item: adsync.Item{Title: "x"}}), "field_required catalog_id")
}

func create(k adsync.Kind, marker, parent string, f adsync.Fields) adsync.Operation {
	return adsync.Operation{Action: adsync.Create, Kind: k, Marker: marker, ParentID: parent, Fields: f, Changes: adsync.Diff(nil, f)}
}

func TestOneOfManyFailsForItself(t *testing.T) {
	is, c := is.New(t), newClock()
	fake := adsynctest.NewGoogle(adsynctest.GoogleOptions{Clock: c.now})
	d := driver(t, fake, c, nil)
	fields, err := d.Object(campaign(budget(1299, adsync.Places{})))
	is.NoErr(err)
	parent := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.KindCampaign, "m0", "", fields)})[0].RemoteID
	group := func(marker string) adsync.Operation {
		return create(adsync.KindAdSet, marker, parent, adsync.Fields{"name": "Set [" + marker + "]", "status": "PAUSED", "type": "SEARCH_STANDARD"})
	}
	calls := fake.Calls()
	fake.SetFault(adsynctest.Once(adsynctest.PartialFailure, http.MethodPost, "mutate"))
	r := d.Apply(t.Context(), at, []adsync.Operation{group("m1"), group("m2")})
	is.Equal(fake.Calls()-calls, 1)
	is.Equal(r[0].Failure.Code, adsync.CodeConflict)
	is.True(r[0].Failure.Retryable && r[0].Failure.Unapplied)
	is.Equal(r[1].Failure, nil)
	is.True(r[1].RemoteID != "")

	// A name that is in use has our marker: it is our object.
	again := d.Apply(t.Context(), at, []adsync.Operation{group("m1"), group("m2")})
	is.Equal(again[1].Failure, nil)
	is.Equal(again[1].RemoteID, r[1].RemoteID)
	is.Equal(len(fake.Objects("adGroups")), 2)
	same := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.KindCampaign, "abc123", "", fields)})
	is.Equal(same[0].RemoteID, parent) // of the same name
}

func TestACampaignsLocationsFollow(t *testing.T) {
	is, c := is.New(t), newClock()
	fake := adsynctest.NewGoogle(adsynctest.GoogleOptions{Clock: c.now})
	d := driver(t, fake, c, nil)
	before, err := d.Object(campaign(budget(1299, adsync.Places{CriteriaIDs: []string{"1", "2"}})))
	is.NoErr(err)
	id := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.KindCampaign, "abc123", "", before)})[0].RemoteID
	after, err := d.Object(campaign(budget(1500, adsync.Places{CriteriaIDs: []string{"2", "3"}})))
	is.NoErr(err)
	op := adsync.Operation{Action: adsync.Update, Kind: adsync.KindCampaign, RemoteID: id, Fields: after, Changes: adsync.Diff(before, after)}
	is.Equal(d.Apply(t.Context(), at, []adsync.Operation{op})[0].Failure, nil)
	found, err := d.Read(t.Context(), at, adsync.KindCampaign, []string{id})
	is.NoErr(err)
	is.Equal(found[0].Fields["locations"], `["2","3"]`)
	is.Equal(found[0].Fields["budget.amount_micros"], "15000000")
	is.Equal(len(fake.Objects("campaignCriteria")), 2)
}

func TestAProductWhoseLanguageChangesIsThereOnce(t *testing.T) {
	is, c := is.New(t), newClock()
	fake := adsynctest.NewGoogle(adsynctest.GoogleOptions{Clock: c.now})
	d := driver(t, fake, c, nil)
	item := adsync.Target{Kind: adsync.KindItem, AdAccount: at, Item: adsync.Item{
		Title: "x", Link: "https://x.example", ContentLanguage: "pt-br", Price: affiliate.NewMoney(100, "BRL"), Images: []adsync.Image{{URL: "https://x.example/p", Order: 1}},
	}}
	before, err := d.Object(item)
	is.NoErr(err)
	id := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.KindItem, "m", "", before)})[0].RemoteID
	item.Item.ContentLanguage = "en-us"
	after, err := d.Object(item)
	is.NoErr(err)
	op := adsync.Operation{Action: adsync.Update, Kind: adsync.KindItem, RemoteID: id, Fields: after, Changes: adsync.Diff(before, after)}

	fake.SetFault(adsynctest.Once(adsynctest.ErrorBefore, http.MethodDelete, "")) // both stay until the next try
	is.True(d.Apply(t.Context(), at, []adsync.Operation{op})[0].Failure.Retryable)
	is.Equal(len(fake.Products(source)), 2)
	r := d.Apply(t.Context(), at, []adsync.Operation{op})[0]
	is.Equal(r.Failure, nil)
	is.True(r.RemoteID != id)
	is.Equal(len(fake.Products(source)), 1)
}

func TestTheHeadersOfAnAdsCall(t *testing.T) {
	is := is.New(t)
	var last *http.Request
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { last = r; w.WriteHeader(http.StatusInternalServerError) })
	d := driver(t, h, newClock(), func(o *google.Options) { o.Version, o.LoginCustomer = "v31", "9999999999" })
	r := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.KindCampaign, "m", "", adsync.Fields{"name": "x"})})
	is.Equal(r[0].Failure.Code, adsync.CodeUnavailable)
	is.Equal(last.URL.Path, "/v31/customers/1234567890/googleAds:mutate")
	is.Equal(last.Header.Get("login-customer-id"), "9999999999")
	is.Equal(last.Header.Values("developer-token"), nil)
	is.Equal(last.Header.Get("Authorization"), "Bearer secret")
}

func TestWrongOptionsAreRefused(t *testing.T) {
	is := is.New(t)
	for _, o := range []google.Options{
		{}, {Token: token(), Version: "26"}, {Token: token(), MerchantURL: "x"}, {Token: token(), LoginCustomer: "1"}, {Token: token(), Parallel: 65},
	} {
		_, err := google.New(o)
		is.True(err != nil)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"mutateOperationResponses":[{"campaignBudgetResult":{"resourceName":"x"}},{"campaignResult":{"resourceName":"customers/1234567890/campaigns/5"}}]}`,
		`{"mutateOperationResponses":[{}],"partialFailureError":{"details":[{"errors":[{"errorCode":{"rangeError":"TOO_LOW"},"location":{"fieldPathElements":[{"fieldName":"mutate_operations","index":-3},{"fieldName":"create"}]}}]}]}}`,
		`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"1e9s"}]}}`, `{"error":{"details":[{"errors":[{"errorCode":{"quotaError":"RESOURCE_EXHAUSTED"},"details":{"quotaErrorDetails":{"retryDelay":"-3s"}}}]}]}}`,
		`{"results":[{"campaign":{"id":"5"},"adGroupAd":{"ad":{"urlCustomParameters":[{"key":"sync","value":"m"}]}}}],"nextPageToken":""}`, `null`, `[]`, ``,
	} {
		f.Add(200, body)
		f.Add(400, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
		c := newClock()
		ops := []adsync.Operation{
			create(adsync.KindCampaign, "m", "", adsync.Fields{"name": "x"}), create(adsync.KindAdSet, "n", "1", adsync.Fields{"name": "x"}),
			create(adsync.KindAd, "o", "1", adsync.Fields{"headlines": "["}), {Kind: adsync.KindAd, Action: adsync.Create, Repeated: true},
		}
		for n, r := range driver(t, h, c, nil).Apply(t.Context(), at, ops) {
			if r.Failure == nil && r.RemoteID == "" {
				t.Errorf("operation %d has neither an id nor a failure", n)
			}
		}
		for _, k := range adsync.Kinds() {
			if _, err := driver(t, h, c, nil).Read(t.Context(), at, k, []string{"1"}); err != nil && err.Error() == "" {
				t.Error("an error without a text")
			}
		}
	})
}
