package facebook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/internal/rest"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The defaults of Options.
const (
	DefaultBaseURL = "https://graph.facebook.com"
	DefaultVersion = "v27.0" // of 4 November 2026; a version lives about a year
)

// Options set up a Driver. Token is required.
type Options struct {
	Token     oauth2.TokenSource
	AppSecret string // signs each call with appsecret_proof; empty: no signature
	BaseURL   string // default: DefaultBaseURL
	Version   string // of the Marketing API; default: DefaultVersion
	HTTP      *http.Client
	Clock     affiliate.Clock
	Timeout   time.Duration // of one call; default: a minute
	// Window is how long a call counts against the allowance; default: an hour.
	Window time.Duration

	// Page returns the id of the page that the ads of an ad account speak for.
	// Ads of an ad account without one park with adsync.ReasonPageRequired.
	Page func(adAccountID string) string
	// Objective of campaigns; default: OUTCOME_TRAFFIC.
	Objective string
	// OptimizationGoal of ad sets; default: LINK_CLICKS.
	OptimizationGoal string
	// BillingEvent of ad sets that name none; default: IMPRESSIONS.
	BillingEvent string
	// SpecialAdCategories of campaigns: HOUSING, CREDIT…; default: none.
	SpecialAdCategories []string
	// Beneficiary and Payor are who ads in the European Union are for.
	Beneficiary, Payor string

	// ItemBatch is how many items are in one call, 1..5000; default: 1000.
	ItemBatch int
	// PollAfter is how long the driver waits before it asks what became of items;
	// default: 30 seconds.
	PollAfter time.Duration
}

var versionForm = regexp.MustCompile(`^v\d{1,3}\.\d{1,2}$`)

// Driver is an adsync.Driver for Facebook. It is safe for concurrent use.
type Driver struct {
	o    Options
	rest *rest.Client
}

// New returns a driver.
func New(o Options) (*Driver, error) {
	for _, d := range []struct {
		at    *string
		value string
	}{
		{&o.BaseURL, DefaultBaseURL}, {&o.Version, DefaultVersion}, {&o.Objective, "OUTCOME_TRAFFIC"},
		{&o.OptimizationGoal, "LINK_CLICKS"}, {&o.BillingEvent, "IMPRESSIONS"},
	} {
		if *d.at == "" {
			*d.at = d.value
		}
	}
	if o.ItemBatch == 0 {
		o.ItemBatch = 1000
	}
	if o.PollAfter == 0 {
		o.PollAfter = 30 * time.Second
	}
	if o.Page == nil {
		o.Page = func(string) string { return "" }
	}
	o.SpecialAdCategories = slices.Clone(o.SpecialAdCategories)
	switch {
	case !versionForm.MatchString(o.Version):
		return nil, fmt.Errorf("facebook: the version must look like %s", DefaultVersion)
	case o.ItemBatch < 1 || o.ItemBatch > 5000:
		return nil, errors.New("facebook: ItemBatch must be between 1 and 5000")
	case o.PollAfter < 0:
		return nil, errors.New("facebook: PollAfter must not be negative")
	}
	client, err := rest.New(o.BaseURL, o.HTTP, o.Token, o.Clock, o.Timeout, o.Window)
	if err != nil {
		return nil, fmt.Errorf("facebook: %w", err)
	}
	return &Driver{o: o, rest: client}, nil
}

// Service returns adsync.FacebookAds.
func (d *Driver) Service() adsync.AdService { return adsync.FacebookAds }

// Apply sends operations.
func (d *Driver) Apply(ctx context.Context, a adsync.AdAccount, ops []adsync.Operation) []adsync.Result {
	out := make([]adsync.Result, len(ops))
	var items []int
	for n, op := range ops {
		if op.Kind == adsync.KindItem {
			items = append(items, n)
			continue
		}
		s := sender{d: d, at: a}
		out[n] = s.apply(ctx, op)
	}
	d.applyItems(ctx, a, ops, items, out)
	return out
}

// Validate has Facebook check operations with execution_options=validate_only.
// It cannot check items, nor removals.
func (d *Driver) Validate(ctx context.Context, a adsync.AdAccount, ops []adsync.Operation) []adsync.Result {
	out := make([]adsync.Result, len(ops))
	for n, op := range ops {
		if op.Kind == adsync.KindItem || op.Action == adsync.Remove {
			out[n].Failure = &adsync.Failure{Code: adsync.CodeNotValidated, Detail: "Facebook does not check this beforehand."}
			continue
		}
		s := sender{d: d, at: a, dry: true}
		out[n] = s.apply(ctx, op)
	}
	return out
}

// sender sends one operation.
type sender struct {
	d   *Driver
	at  adsync.AdAccount
	dry bool
	// made says that the operation has already made something, so that its
	// failure is not without a trace.
	made    bool
	request string // the service's name of the last call
}

var edges = map[adsync.Kind]string{adsync.KindCampaign: "campaigns", adsync.KindAdSet: "adsets", adsync.KindAd: "ads"}

func (s *sender) apply(ctx context.Context, op adsync.Operation) adsync.Result {
	id, f := s.send(ctx, op)
	if f != nil {
		f.Unapplied = f.Unapplied && !s.made
	}
	return adsync.Result{RemoteID: id, RequestID: s.request, Failure: f}
}

func (s *sender) send(ctx context.Context, op adsync.Operation) (string, *adsync.Failure) {
	id := op.RemoteID
	if id == "" && op.Repeated && !s.dry {
		var f *adsync.Failure
		if id, f = s.find(ctx, edges[op.Kind], op.Marker); f != nil {
			f.Unapplied = false // of the attempt before, nothing is known
			return "", f
		}
	}
	if op.Action == adsync.Remove {
		if id == "" {
			return "", nil
		}
		f := s.post(ctx, http.MethodDelete, "/"+url.PathEscape(id), nil, nil)
		if f != nil && f.Code == adsync.CodeGone {
			f = nil
		}
		return id, f
	}
	form, f := s.form(ctx, op)
	if f != nil {
		return "", f
	}
	if id != "" {
		return id, s.post(ctx, http.MethodPost, "/"+url.PathEscape(id), form, nil)
	}
	if parent := map[adsync.Kind]string{adsync.KindAdSet: "campaign_id", adsync.KindAd: "adset_id"}[op.Kind]; parent != "" {
		form.Set(parent, op.ParentID)
	}
	var made struct {
		ID string `json:"id"`
	}
	if f := s.post(ctx, http.MethodPost, "/"+s.at.ID+"/"+edges[op.Kind], form, &made); f != nil || s.dry {
		return made.ID, f
	}
	if made.ID == "" {
		return "", badAnswer(s.request)
	}
	return made.ID, nil
}

func badAnswer(request string) *adsync.Failure {
	return &adsync.Failure{Code: adsync.CodeBadAnswer, Detail: "Facebook's answer is not as documented.", Retryable: true, RequestID: request}
}

// form is what is sent of an operation: the changed fields, nested ones as a
// whole, and the creative as one that was made before.
func (s *sender) form(ctx context.Context, op adsync.Operation) (url.Values, *adsync.Failure) {
	form := url.Values{}
	nested := map[string]bool{}
	for _, c := range op.Changes {
		if root := rootOf(c.Field); root != "" {
			nested[root] = true
		} else if c.After != "" {
			form.Set(c.Field, c.After)
		}
	}
	if nested["targeting"] {
		form.Set("targeting", nest(op.Fields, "targeting"))
	}
	if nested["object_story_spec"] {
		creative, f := s.creative(ctx, op)
		if f != nil {
			return nil, f
		}
		form.Set("creative", creative)
	}
	if s.dry {
		form.Set("execution_options", `["validate_only"]`)
	}
	return form, nil
}

// creative makes the creative of an ad and returns what refers to it. The content
// of a creative never changes: another content is another creative.
func (s *sender) creative(ctx context.Context, op adsync.Operation) (string, *adsync.Failure) {
	spec := nest(op.Fields, "object_story_spec")
	if s.dry {
		return `{"object_story_spec":` + spec + `}`, nil
	}
	sum := sha256.Sum256([]byte(spec))
	name := op.Marker + "-" + hex.EncodeToString(sum[:6])
	var id string
	var f *adsync.Failure
	if op.Repeated {
		if id, f = s.find(ctx, "adcreatives", name); f != nil {
			f.Unapplied = false
			return "", f
		}
	}
	if id == "" {
		var made struct {
			ID string `json:"id"`
		}
		if source := op.Fields[videoSource]; source != "" {
			if spec, f = s.video(ctx, op, name, source); f != nil {
				return "", f
			}
		}
		form := url.Values{"name": {name}, "object_story_spec": {spec}}
		if f := s.post(ctx, http.MethodPost, "/"+s.at.ID+"/adcreatives", form, &made); f != nil {
			return "", f
		}
		if made.ID == "" {
			return "", badAnswer(s.request)
		}
		id = made.ID
	}
	s.made = true
	text, err := json.Marshal(map[string]string{"creative_id": id})
	if err != nil {
		return "", badAnswer(s.request)
	}
	return string(text), nil
}

// video uploads the video of a creative by its address, and returns the spec
// with its id in place of the address.
func (s *sender) video(ctx context.Context, op adsync.Operation, name, source string) (string, *adsync.Failure) {
	var made struct {
		ID string `json:"id"`
	}
	if op.Repeated {
		id, f := s.find(ctx, "advideos", name)
		if f != nil {
			f.Unapplied = false
			return "", f
		}
		made.ID = id
	}
	if made.ID == "" {
		form := url.Values{"name": {name}, "title": {name}, "file_url": {source}}
		if f := s.post(ctx, http.MethodPost, "/"+s.at.ID+"/advideos", form, &made); f != nil {
			return "", f
		}
		if made.ID == "" {
			return "", badAnswer(s.request)
		}
	}
	s.made = true
	fields := adsync.Fields{"object_story_spec.video_data.video_id": made.ID}
	for k, v := range op.Fields {
		if k != videoSource {
			fields[k] = v
		}
	}
	return nest(fields, "object_story_spec"), nil
}

// find returns the id of the object whose name has the marker; empty when there
// is none. Removed objects are not found.
func (s *sender) find(ctx context.Context, edge, marker string) (string, *adsync.Failure) {
	filter, err := json.Marshal([]map[string]string{{"field": "name", "operator": "CONTAIN", "value": marker}})
	if err != nil {
		return "", badAnswer("")
	}
	var page struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if f := s.get(ctx, "/"+s.at.ID+"/"+edge, url.Values{"fields": {"id,name"}, "filtering": {string(filter)}, "limit": {"5"}}, &page); f != nil {
		return "", f
	}
	if len(page.Data) == 0 {
		return "", nil
	}
	return page.Data[0].ID, nil
}

// post makes a call that changes something and reads its answer into out.
func (s *sender) post(ctx context.Context, method, path string, form url.Values, out any) *adsync.Failure {
	return s.call(ctx, rest.Call{Method: method, Path: path, Form: form, Safe: s.dry}, out)
}

func (s *sender) get(ctx context.Context, path string, query url.Values, out any) *adsync.Failure {
	return s.call(ctx, rest.Call{Method: http.MethodGet, Path: path, Query: query, Safe: true}, out)
}

func (s *sender) call(ctx context.Context, c rest.Call, out any) *adsync.Failure {
	c.Key, c.Path = s.at.ID, "/"+s.d.o.Version+c.Path
	if s.d.o.AppSecret != "" {
		proof, f := s.proof()
		if f != nil {
			return f
		}
		if c.Query == nil {
			c.Query = url.Values{}
		}
		c.Query.Set("appsecret_proof", proof)
	}
	a, f := s.d.rest.Do(ctx, c)
	if f != nil {
		return f
	}
	usage := readUsage(a.Header)
	if usage.Percent > 0 {
		s.d.rest.Throttle.Note(c.Key, usage)
	}
	s.request = a.Header.Get("X-Fb-Trace-Id")
	if f := s.d.failure(c.Key, a, usage); f != nil {
		s.request = f.RequestID
		return f
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return badAnswer(s.request)
	}
	return nil
}

// proof signs the token with the app's secret.
func (s *sender) proof() (string, *adsync.Failure) {
	token, err := s.d.rest.Token.Token()
	if err != nil {
		return "", rest.TokenFailure(err)
	}
	mac := hmac.New(sha256.New, []byte(s.d.o.AppSecret))
	mac.Write([]byte(token.AccessToken))
	return hex.EncodeToString(mac.Sum(nil)), nil
}
