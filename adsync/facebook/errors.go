package facebook

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/internal/rest"
)

// graphError is the error of the Graph API.
type graphError struct {
	Message     string          `json:"message"`
	Type        string          `json:"type"`
	Code        int             `json:"code"`
	Subcode     int             `json:"error_subcode"`
	UserTitle   string          `json:"error_user_title"`
	UserMessage string          `json:"error_user_msg"`
	Data        json.RawMessage `json:"error_data"`
	Transient   bool            `json:"is_transient"`
	Trace       string          `json:"fbtrace_id"`
}

// The codes that matter. Those that are not here are refusals.
const (
	codeUnknown    = 1
	codeService    = 2
	codeApp        = 4 // allowance of the app
	codePermission = 10
	codeUser       = 17 // allowance of the user
	codePage       = 32 // allowance of the page
	codeParameter  = 100
	codeToken      = 190
	codePolicy     = 368
	codeCustom     = 613  // allowance of one edge
	codeVersion    = 2635 // a deprecated version of the Ads API
	subcodeGone    = 33   // of codeParameter: the object does not exist
)

// failure reads the error of an answer; nil if there is none.
func (d *Driver) failure(key string, a rest.Answer, usage adsync.Usage) *adsync.Failure {
	var body struct {
		Error *graphError `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &body); err != nil || body.Error == nil {
		return d.rest.Status(key, a)
	}
	e := body.Error
	f := &adsync.Failure{Code: adsync.CodeInvalid, Field: e.field(), Detail: firstOf(e.UserMessage, e.Message), RequestID: e.Trace, Unapplied: true}
	switch {
	case e.limited():
		wait := max(usage.RegainAfter, d.rest.RetryAfter(a.Header))
		d.rest.Throttle.Stop(key, wait)
		f.Code, f.Retryable, f.Throttled = adsync.CodeRateLimited, true, true
		f.RetryAfter = max(wait, d.rest.Throttle.Wait(key))
	case e.Transient || e.Code == codeUnknown || e.Code == codeService || a.Status/100 == 5:
		f.Code, f.Retryable, f.Unapplied = adsync.CodeUnavailable, true, false
		f.RetryAfter = d.rest.RetryAfter(a.Header)
	case e.Code == codeToken:
		f.Code = adsync.CodeCredentials
	case e.Code == codePermission || e.Code >= 200 && e.Code <= 299:
		f.Code = adsync.CodePermission
	case e.Code == codeVersion:
		f.Code = adsync.CodeVersionGone
	case e.Code == codePolicy:
		f.Code = adsync.CodePolicy
	case e.Code == codeParameter && e.Subcode == subcodeGone:
		f.Code = adsync.CodeGone
	}
	return f
}

// limited reports whether the error says that an allowance is used up.
func (e *graphError) limited() bool {
	switch e.Code {
	case codeApp, codeUser, codePage, codeCustom:
		return true
	}
	return e.Code >= 80000 && e.Code <= 80014
}

// field is what the error blames: {"blame_field_specs": [["targeting"]]}, as an
// object or as text that holds one.
func (e *graphError) field() string {
	data := e.Data
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = json.RawMessage(text)
	}
	var blamed struct {
		Specs [][]string `json:"blame_field_specs"`
	}
	if json.Unmarshal(data, &blamed) != nil || len(blamed.Specs) == 0 {
		return ""
	}
	return strings.Join(blamed.Specs[0], ".")
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// share is how much of an allowance is used, in percent.
type share struct {
	Calls  float64 `json:"call_count"`
	CPU    float64 `json:"total_cputime"`
	Time   float64 `json:"total_time"`
	Regain float64 `json:"estimated_time_to_regain_access"` // minutes
}

// readUsage reads what the headers say about allowances: the fullest one counts.
func readUsage(h http.Header) adsync.Usage {
	var u adsync.Usage
	take := func(regain time.Duration, percents ...float64) {
		for _, p := range percents {
			u.Percent = max(u.Percent, p)
		}
		u.RegainAfter = max(u.RegainAfter, min(regain, 7*24*time.Hour))
	}
	var cases map[string][]share
	if json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &cases) == nil {
		for _, shares := range cases {
			for _, s := range shares {
				take(time.Duration(min(s.Regain, 1e5)*float64(time.Minute)), s.Calls, s.CPU, s.Time)
			}
		}
	}
	var account struct {
		Percent float64 `json:"acc_id_util_pct"`
		Reset   float64 `json:"reset_time_duration"` // seconds
	}
	if json.Unmarshal([]byte(h.Get("X-Ad-Account-Usage")), &account) == nil {
		reset := time.Duration(0)
		if account.Percent >= 100 {
			reset = time.Duration(min(account.Reset, 1e6) * float64(time.Second))
		}
		take(reset, account.Percent)
	}
	var app share
	if json.Unmarshal([]byte(h.Get("X-App-Usage")), &app) == nil {
		take(0, app.Calls, app.CPU, app.Time)
	}
	return u
}
