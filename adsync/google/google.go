package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/internal/rest"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The defaults of Options.
const (
	DefaultBaseURL         = "https://googleads.googleapis.com"
	DefaultVersion         = "v26" // a version lives about a year
	DefaultMerchantURL     = "https://merchantapi.googleapis.com"
	DefaultMerchantVersion = "v1"
)

// Options set up a Driver. Token is required.
type Options struct {
	Token           oauth2.TokenSource
	BaseURL         string // of the Ads API; default: DefaultBaseURL
	Version         string // of the Ads API; default: DefaultVersion
	MerchantURL     string // default: DefaultMerchantURL
	MerchantVersion string // default: DefaultMerchantVersion
	// LoginCustomer is the manager account that the token acts through, ten
	// digits; empty: none.
	LoginCustomer string
	// DeveloperToken is sent when it is not empty. Google has ignored it since
	// September 2026.
	DeveloperToken string
	HTTP           *http.Client
	Clock          affiliate.Clock
	Timeout        time.Duration // of one call; default: a minute
	// Parallel is how many products are sent at once, 1..64; default: 8. The
	// Merchant API has no calls for several products.
	Parallel int
	// ChannelType of campaigns; default: SEARCH.
	ChannelType string
	// AdGroupType of ad groups; default: SEARCH_STANDARD.
	AdGroupType string
}

var (
	versionForm  = regexp.MustCompile(`^v\d{1,3}(beta\d?)?$`)
	customerForm = regexp.MustCompile(`^\d{10}$`)
)

// Driver is an adsync.Driver for Google. It is safe for concurrent use.
type Driver struct {
	o        Options
	ads      *rest.Client
	merchant *rest.Client
}

// New returns a driver.
func New(o Options) (*Driver, error) {
	for _, d := range []struct {
		at    *string
		value string
	}{
		{&o.BaseURL, DefaultBaseURL}, {&o.Version, DefaultVersion}, {&o.MerchantURL, DefaultMerchantURL},
		{&o.MerchantVersion, DefaultMerchantVersion}, {&o.ChannelType, "SEARCH"}, {&o.AdGroupType, "SEARCH_STANDARD"},
	} {
		if *d.at == "" {
			*d.at = d.value
		}
	}
	if o.Parallel == 0 {
		o.Parallel = 8
	}
	switch {
	case !versionForm.MatchString(o.Version) || !versionForm.MatchString(o.MerchantVersion):
		return nil, fmt.Errorf("google: the versions must look like %s and %s", DefaultVersion, DefaultMerchantVersion)
	case o.LoginCustomer != "" && !customerForm.MatchString(o.LoginCustomer):
		return nil, errors.New("google: LoginCustomer must be ten digits")
	case o.Parallel < 1 || o.Parallel > 64:
		return nil, errors.New("google: Parallel must be between 1 and 64")
	}
	d := &Driver{o: o}
	var err error
	if d.ads, err = rest.New(o.BaseURL, o.HTTP, o.Token, o.Clock, o.Timeout, 0); err != nil {
		return nil, fmt.Errorf("google: %w", err)
	}
	if d.merchant, err = rest.New(o.MerchantURL, o.HTTP, o.Token, o.Clock, o.Timeout, 0); err != nil {
		return nil, fmt.Errorf("google: merchant: %w", err)
	}
	return d, nil
}

// Service returns adsync.GoogleAds.
func (d *Driver) Service() adsync.AdService { return adsync.GoogleAds }

// Apply sends operations: each campaign with its budget and locations in a call
// of its own, all or nothing; ad groups and ads many in a call; products in
// parallel.
func (d *Driver) Apply(ctx context.Context, a adsync.AdAccount, ops []adsync.Operation) []adsync.Result {
	return d.run(ctx, a, ops, false)
}

// Validate has Google check operations with validateOnly. It cannot check
// products.
func (d *Driver) Validate(ctx context.Context, a adsync.AdAccount, ops []adsync.Operation) []adsync.Result {
	return d.run(ctx, a, ops, true)
}

func (d *Driver) run(ctx context.Context, a adsync.AdAccount, ops []adsync.Operation, dry bool) []adsync.Result {
	out := make([]adsync.Result, len(ops))
	ops = slices.Clone(ops) // ids are filled in as they are found
	s := &sender{d: d, at: a, dry: dry}
	var items, many []int
	for n, op := range ops {
		switch {
		case op.Kind == adsync.KindItem && dry:
			out[n].Failure = &adsync.Failure{Code: adsync.CodeNotValidated, Detail: "The Merchant API does not check this beforehand."}
		case op.Kind == adsync.KindItem:
			items = append(items, n)
		case op.Kind == adsync.KindCampaign:
			out[n] = s.campaign(ctx, op)
		default:
			many = append(many, n)
		}
	}
	s.many(ctx, ops, many, out)
	s.products(ctx, ops, items, out)
	return out
}

// sender makes the calls of one ad account.
type sender struct {
	d   *Driver
	at  adsync.AdAccount
	dry bool
}

// resource is the name of an object: customers/1234567890/campaigns/5.
func (s *sender) resource(collection, id string) string {
	return "customers/" + s.at.ID + "/" + collection + "/" + id
}

// mutation is one operation of googleAds:mutate, by its name.
type mutation map[string]any

func creates(name string, object map[string]any) mutation {
	return mutation{name: map[string]any{"create": object}}
}

func updates(name string, object map[string]any, mask []string) mutation {
	return mutation{name: map[string]any{"update": object, "updateMask": strings.Join(mask, ",")}}
}

func removes(name, resource string) mutation {
	return mutation{name: map[string]any{"remove": resource}}
}

// mutated is the answer of googleAds:mutate.
type mutated struct {
	Responses []map[string]struct {
		Resource string `json:"resourceName"`
	} `json:"mutateOperationResponses"`
	Partial *googleError `json:"partialFailureError"`
	request string
}

// resourceAt is the name of the object that a mutation made or changed.
func (m mutated) resourceAt(n int) string {
	if n < len(m.Responses) {
		for _, r := range m.Responses[n] {
			return r.Resource
		}
	}
	return ""
}

func (s *sender) mutate(ctx context.Context, mutations []mutation, partial bool) (mutated, *adsync.Failure) {
	body := map[string]any{"mutateOperations": mutations}
	if partial {
		body["partialFailure"] = true
	}
	if s.dry {
		body["validateOnly"] = true
	}
	var out mutated
	request, f := s.post(ctx, "googleAds:mutate", body, s.dry, &out)
	out.request = request
	return out, f
}

// row is one row of a search.
type row struct {
	Campaign struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Status   string `json:"status"`
		Budget   string `json:"campaignBudget"`
		Resource string `json:"resourceName"`
	} `json:"campaign"`
	Budget struct {
		Micros string `json:"amountMicros"`
	} `json:"campaignBudget"`
	Criterion struct {
		Resource string `json:"resourceName"`
		Negative bool   `json:"negative"`
		Location struct {
			Constant string `json:"geoTargetConstant"`
		} `json:"location"`
	} `json:"campaignCriterion"`
	AdGroup struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Status string `json:"status"`
		Micros string `json:"cpcBidMicros"`
	} `json:"adGroup"`
	AdGroupAd struct {
		Status string   `json:"status"`
		Ad     googleAd `json:"ad"`
	} `json:"adGroupAd"`
	Change struct {
		Email    string `json:"userEmail"`
		Time     string `json:"changeDateTime"`
		Resource string `json:"changeResourceName"`
	} `json:"changeEvent"`
}

type googleAd struct {
	ID         string   `json:"id"`
	FinalURLs  []string `json:"finalUrls"`
	Parameters []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"urlCustomParameters"`
	Search struct {
		Headlines    []textAsset `json:"headlines"`
		Descriptions []textAsset `json:"descriptions"`
	} `json:"responsiveSearchAd"`
}

type textAsset struct {
	Text string `json:"text"`
}

// search returns all rows of a query.
func (s *sender) search(ctx context.Context, query string) ([]row, *adsync.Failure) {
	var rows []row
	token := ""
	for {
		body := map[string]any{"query": query}
		if token != "" {
			body["pageToken"] = token
		}
		var page struct {
			Results []row  `json:"results"`
			Next    string `json:"nextPageToken"`
		}
		if _, f := s.post(ctx, "googleAds:search", body, true, &page); f != nil {
			return nil, f
		}
		rows = append(rows, page.Results...)
		if page.Next == "" || page.Next == token {
			return rows, nil
		}
		token = page.Next
	}
}

// post calls a method of the customer and reads its answer into out. It returns
// the service's name of the call.
func (s *sender) post(ctx context.Context, method string, body any, safe bool, out any) (string, *adsync.Failure) {
	header := http.Header{}
	if s.d.o.LoginCustomer != "" {
		header.Set("Login-Customer-Id", s.d.o.LoginCustomer)
	}
	if s.d.o.DeveloperToken != "" {
		header.Set("Developer-Token", s.d.o.DeveloperToken)
	}
	a, f := s.d.ads.Do(ctx, rest.Call{
		Key: s.at.ID, Method: http.MethodPost, Path: "/" + s.d.o.Version + "/customers/" + s.at.ID + "/" + method, Header: header, JSON: body, Safe: safe,
	})
	if f != nil {
		return "", f
	}
	request := a.Header.Get("Request-Id")
	if f := failure(s.d.ads, s.at.ID, a); f != nil {
		f.RequestID = firstOf(f.RequestID, request)
		return request, f
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return request, badAnswer(request)
	}
	return request, nil
}

func badAnswer(request string) *adsync.Failure {
	return &adsync.Failure{Code: adsync.CodeBadAnswer, Detail: "Google's answer is not as documented.", Retryable: true, RequestID: request}
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
