package facebook_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/facebook"
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

func driver(t *testing.T, h http.Handler, c *clock, change func(*facebook.Options)) *facebook.Driver {
	t.Helper()
	o := facebook.Options{
		Token: token(), HTTP: adsynctest.Client(h), Clock: c.now, AppSecret: "app", ItemBatch: 3, Beneficiary: "Acme", Payor: "Acme",
		Page: func(string) string { return "77" },
	}
	if change != nil {
		change(&o)
	}
	d, err := facebook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var at = adsync.AdAccount{ID: "act_1001", AccountID: "account", CatalogID: "2001"}

func TestTheDriverPassesTheSuite(t *testing.T) {
	adsynctest.RunDriver(t, func(t *testing.T) adsynctest.Service {
		c := newClock()
		fake := adsynctest.NewFacebook(adsynctest.FacebookOptions{Clock: c.now, Works: time.Minute})
		return adsynctest.Service{
			Driver: driver(t, fake, c, nil), AdAccount: at, SetFault: fake.SetFault, Pass: c.pass,
			Count: func(k adsync.Kind) int {
				if k == adsync.KindItem {
					return len(fake.Items("2001"))
				}
				return len(fake.Objects(map[adsync.Kind]string{adsync.KindCampaign: "campaigns", adsync.KindAdSet: "adsets", adsync.KindAd: "ads"}[k]))
			},
			Rename: func(id, name, who string) { fake.Edit(id, "name", name, who) },
		}
	})
}

// raw answers every call in one way and keeps the last one.
type raw struct {
	status int
	header http.Header
	body   string
	last   *http.Request
	form   string
}

func (r *raw) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_ = req.ParseForm()
	r.last, r.form = req, req.PostForm.Encode()
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write([]byte(r.body))
}

func create(fields adsync.Fields) adsync.Operation {
	return adsync.Operation{Action: adsync.Create, Kind: adsync.KindCampaign, Marker: "m", Fields: fields, Changes: adsync.Diff(nil, fields)}
}

func TestCallsAreSignedAndOfTheVersion(t *testing.T) {
	is := is.New(t)
	h := &raw{status: 200, body: `{"id":"5"}`}
	d := driver(t, h, newClock(), func(o *facebook.Options) { o.Version = "v99.1" })
	r := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.Fields{"name": "x"})})
	is.Equal(r[0].RemoteID, "5")
	is.Equal(h.last.URL.Path, "/v99.1/act_1001/campaigns")
	is.Equal(h.last.Header.Get("Authorization"), "Bearer secret")
	is.Equal(h.last.URL.Query().Get("appsecret_proof"), "7790d146ebc52c0b15f45785b6bc29fc5c587015b9b809dcd04a1aabbca32a0c")
	is.Equal(h.form, "name=x")
	is.True(!strings.Contains(h.last.URL.String(), "secret=") && !strings.Contains(h.form, "secret"))
}

func TestErrorsOfTheGraphAPI(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		header http.Header
		want   adsync.Failure
	}{
		{"a parameter, with the field that is blamed", 400, `{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_user_msg":"Budget too low","error_data":"{\"blame_field_specs\":[[\"daily_budget\"]]}","fbtrace_id":"T"}}`, nil,
			adsync.Failure{Code: adsync.CodeInvalid, Field: "daily_budget", Detail: "Budget too low", Unapplied: true, RequestID: "T"}},
		{"an allowance of the ad account", 400, `{"error":{"message":"Slow","code":80004}}`, http.Header{"X-Business-Use-Case-Usage": {`{"1":[{"type":"ads_management","call_count":100,"estimated_time_to_regain_access":7}]}`}},
			adsync.Failure{Code: adsync.CodeRateLimited, Detail: "Slow", Retryable: true, Throttled: true, Unapplied: true, RetryAfter: 7 * time.Minute}},
		{"an allowance without a time", 400, `{"error":{"message":"Slow","code":17}}`, nil,
			adsync.Failure{Code: adsync.CodeRateLimited, Detail: "Slow", Retryable: true, Throttled: true, Unapplied: true, RetryAfter: 5 * time.Minute}},
		{"a token", 401, `{"error":{"message":"Expired","code":190}}`, nil, adsync.Failure{Code: adsync.CodeCredentials, Detail: "Expired", Unapplied: true}},
		{"a permission", 403, `{"error":{"message":"No","code":294}}`, nil, adsync.Failure{Code: adsync.CodePermission, Detail: "No", Unapplied: true}},
		{"transient", 400, `{"error":{"message":"Again","code":9999,"is_transient":true}}`, nil, adsync.Failure{Code: adsync.CodeUnavailable, Detail: "Again", Retryable: true}},
		{"a gateway that is no JSON", 502, `<html>`, http.Header{"Retry-After": {"9"}}, adsync.Failure{Code: adsync.CodeUnavailable, Detail: "The service failed with 502.", Retryable: true, RetryAfter: 9 * time.Second}},
		{"an answer without an id", 200, `{}`, nil, adsync.Failure{Code: adsync.CodeBadAnswer, Detail: "Facebook's answer is not as documented.", Retryable: true}},
		{"an answer that is no object", 200, `[`, nil, adsync.Failure{Code: adsync.CodeBadAnswer, Detail: "Facebook's answer is not as documented.", Retryable: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			is := is.New(t)
			d := driver(t, &raw{status: c.status, body: c.body, header: c.header}, newClock(), nil)
			r := d.Apply(t.Context(), at, []adsync.Operation{create(adsync.Fields{"name": "x"})})
			is.True(r[0].Failure != nil)
			is.Equal(*r[0].Failure, c.want)
		})
	}
}

func TestWhatIsMissingAtFacebookIsNamed(t *testing.T) {
	is := is.New(t)
	d := driver(t, http.NotFoundHandler(), newClock(), func(o *facebook.Options) { o.Page = nil })
	set := adsync.AdSet{State: adsync.Active}
	reason := func(target adsync.Target) string {
		_, err := d.Object(target)
		b, ok := err.(*adsync.Blocked)
		if !ok {
			return ""
		}
		return b.Reason
	}
	is.Equal(reason(adsync.Target{Kind: adsync.KindAdSet, AdSet: set}), adsync.ReasonLocationRequired)
	is.Equal(reason(adsync.Target{Kind: adsync.KindAd, Ad: adsync.Ad{Type: adsync.ExpandedTextAd}}), adsync.ReasonAdTypeUnsupported)
	is.Equal(reason(adsync.Target{Kind: adsync.KindAd, Ad: adsync.Ad{Type: adsync.Video}}), adsync.ReasonPageRequired)
	is.Equal(reason(adsync.Target{Kind: adsync.KindItem, Item: adsync.Item{Title: "x"}}), adsync.ReasonFieldRequired)
	is.Equal(reason(adsync.Target{Kind: adsync.KindCampaign, Campaign: adsync.Campaign{State: adsync.Active}}), "")
}

func TestAVideoIsUploadedByItsAddress(t *testing.T) {
	is := is.New(t)
	c := newClock()
	fake := adsynctest.NewFacebook(adsynctest.FacebookOptions{Clock: c.now})
	d := driver(t, fake, c, nil)
	fields, err := d.Object(adsync.Target{Kind: adsync.KindAd, AdAccount: at, Marker: "m", Ad: adsync.Ad{
		State: adsync.Paused, Type: adsync.Video, DestinationURL: "https://shop.example/", Creative: adsync.Creative{VideoURL: "https://shop.example/v.mp4", Message: "Look"},
	}})
	is.NoErr(err)
	set := create(adsync.Fields{"name": "s", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": "[]"})
	campaign := d.Apply(t.Context(), at, []adsync.Operation{set})[0].RemoteID
	group := adsync.Operation{Action: adsync.Create, Kind: adsync.KindAdSet, ParentID: campaign, Fields: adsync.Fields{
		"name": "g", "targeting.geo_locations.countries": `["BR"]`, "billing_event": "IMPRESSIONS", "optimization_goal": "LINK_CLICKS",
	}}
	group.Changes = adsync.Diff(nil, group.Fields)
	parent := d.Apply(t.Context(), at, []adsync.Operation{group})[0].RemoteID
	is.Equal(fake.Objects("adsets")[0].Fields["targeting"], `{"geo_locations":{"countries":["BR"]}}`)
	op := adsync.Operation{Action: adsync.Create, Kind: adsync.KindAd, Marker: "m", ParentID: parent, Fields: fields, Changes: adsync.Diff(nil, fields)}
	fake.SetFault(adsynctest.Once(adsynctest.DropAfter, http.MethodPost, "/adcreatives"))
	r := d.Apply(t.Context(), at, []adsync.Operation{op})[0]
	is.True(r.Failure.Retryable && !r.Failure.Unapplied)
	op.Repeated = true
	r = d.Apply(t.Context(), at, []adsync.Operation{op})[0]
	is.Equal(r.Failure, nil)
	is.Equal([]int{len(fake.Objects("advideos")), len(fake.Objects("adcreatives")), len(fake.Objects("ads"))}, []int{1, 1, 1})
	is.Equal(fake.Objects("advideos")[0].Fields["file_url"], "https://shop.example/v.mp4")
	is.True(strings.Contains(fake.Objects("adcreatives")[0].Fields["object_story_spec"], `"video_id":"`+fake.Objects("advideos")[0].ID+`"`))
}

func TestRefusedItemsAreNamed(t *testing.T) {
	is := is.New(t)
	c := newClock()
	fake := adsynctest.NewFacebook(adsynctest.FacebookOptions{Clock: c.now})
	d := driver(t, fake, c, nil)
	fake.SetFault(adsynctest.Once(adsynctest.InvalidItem, http.MethodPost, "/items_batch"))
	var ops []adsync.Operation
	for n := range 2 {
		op := adsync.Operation{Action: adsync.Create, Kind: adsync.KindItem, Fields: adsync.Fields{"catalog": "2001", "title": "x", "link": "https://x.example", "price": "1.00 BRL"}}
		op.RecordID[0] = byte(n + 1)
		ops = append(ops, op)
	}
	for n, r := range d.Apply(t.Context(), at, ops) {
		is.True(r.Handle != "")
		ops[n].Handle = r.Handle
	}
	r := d.Apply(t.Context(), at, ops)
	is.Equal(r[0].Failure.Code, adsync.CodeInvalidItem)
	is.Equal(r[0].Failure.Detail, "The item is not valid.")
	is.Equal(r[1].Failure, nil)
	ops[0].Handle = "forgotten"
	r = d.Apply(t.Context(), at, ops[:1])
	is.Equal(r[0].Failure.Code, adsync.CodeUnknownResult)
	is.True(r[0].Failure.Retryable)
}

func TestWrongOptionsAreRefused(t *testing.T) {
	is := is.New(t)
	for _, o := range []facebook.Options{
		{}, {Token: token(), Version: "27"}, {Token: token(), BaseURL: "ftp://x.example"}, {Token: token(), ItemBatch: 5001}, {Token: token(), PollAfter: -1},
	} {
		_, err := facebook.New(o)
		is.True(err != nil)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"id":"5"}`, `{"error":{"code":100,"error_data":"{}"}}`, `{"error":{"error_data":[1]}}`, `{"data":[{"id":"1","targeting":{"geo_locations":{"regions":[{"key":"1"}]}}}],"paging":{"next":"x","cursors":{"after":"a"}}}`,
		`{"handles":["h"],"validation_status":[{"retailer_id":"x","errors":[{}]}]}`, `null`, `[]`, `{"data":[null]}`, ``,
	} {
		f.Add(200, body, `{"1":[{"call_count":80,"estimated_time_to_regain_access":1e300}]}`)
		f.Add(400, body, ``)
	}
	f.Fuzz(func(t *testing.T, status int, body, usage string) {
		if status < 200 || status > 599 {
			return
		}
		h := &raw{status: status, body: body, header: http.Header{"X-Business-Use-Case-Usage": {usage}, "X-Ad-Account-Usage": {usage}}}
		ops := []adsync.Operation{create(adsync.Fields{"name": "x"}), {Kind: adsync.KindItem, Action: adsync.Create}, {Kind: adsync.KindItem, Action: adsync.Create, Handle: "h"}}
		c := newClock()
		for n, r := range driver(t, h, c, nil).Apply(t.Context(), at, ops) {
			if r.Failure == nil && r.RemoteID == "" && r.Handle == "" {
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
