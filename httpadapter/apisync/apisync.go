package apisync

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Options sets up the dialect. They are those of httpadapter.Options, where each is
// described: go doc github.com/affiliatekit/affiliatekit/httpadapter.Options.
type Options = host.Options

// Services are what the dialect serves.
type Services struct {
	Core   *affiliate.Service // keeps the answers to Idempotency-Keys; may be nil
	AdSync *adsync.Service
}

// New makes the dialect alone. It serves every path, unknown ones with its own
// 404, and works under a prefix: http.StripPrefix("/api", handler).
func New(s Services, o Options) (http.Handler, error) {
	if s.AdSync == nil {
		return nil, errors.New("apisync: New needs Services.AdSync")
	}
	o, err := o.WithDefaults(s.Core)
	if err != nil {
		return nil, err
	}
	d := wire.Dialect{
		Errors: errorForm{}, ContentType: mediaType, Accepts: []string{mediaType, "application/json"}, AuthScheme: "ApiToken", NegotiatesMedia: true,
	}
	return wire.NewMux(d, o.Wire(), (&server{s.AdSync}).routes())
}

const mediaType = "application/vnd.api+json"

// Paths are the prefixes of all paths of the document.
func Paths() []string {
	return []string{"/inventory-items", "/ad-accounts", "/campaigns", "/ad-sets", "/ads"}
}

// server serves the routes. Its handlers decide nothing: they read the
// document's spellings, say for whom they work, and make the documents.
type server struct{ sync *adsync.Service }

// of is the service for a principal.
func (s *server) of(p affiliate.Principal) *adsync.Service { return s.sync.For(affiliate.ViewerOf(p)) }

// routes is the document: one line for each of its operations, in its order.
func (s *server) routes() []wire.Route {
	account := wire.Only(affiliate.RoleSync)
	return []wire.Route{
		{Pattern: "POST /inventory-items", ID: "inventory-item-create", Scope: account, Op: wire.Call(s.saveItem).Also(201)},
		{Pattern: "PUT,PATCH /inventory-items/{id}", ID: "inventory-item-update", Scope: account, Op: wire.Call(s.updateItem)},
		{Pattern: "GET /inventory-items/{id}", ID: "inventory-item-get", Scope: account, Op: wire.Call(s.getItem)},
		{Pattern: "GET /inventory-items", ID: "inventory-item-index", Scope: account, Op: wire.Call(s.listItems)},
		{Pattern: "GET /ad-accounts", ID: "ad-account-index", Scope: account, Op: wire.Call(s.listAdAccounts)},
		{Pattern: "POST /campaigns", ID: "campaign-create", Scope: account, Op: wire.Call(s.saveCampaign).Also(201)},
		{Pattern: "PUT,PATCH /campaigns/{id}", ID: "campaign-update", Scope: account, Op: wire.Call(s.updateCampaign)},
		{Pattern: "GET /campaigns", ID: "campaign-index", Scope: account, Op: wire.Call(s.listCampaigns)},
		{Pattern: "GET /campaigns/{id}", ID: "campaign-get", Scope: account, Op: wire.Call(s.getCampaign)},
		{Pattern: "GET /ad-accounts/{ad-account-id}/campaigns", ID: "campaign-index-by-ad-account", Scope: account, Op: wire.Call(s.listCampaignsOf)},
		{Pattern: "POST /ad-sets", ID: "ad-set-create", Scope: account, Op: wire.Call(s.saveAdSet).Also(201)},
		{Pattern: "PUT,PATCH /ad-sets/{id}", ID: "ad-set-update", Scope: account, Op: wire.Call(s.updateAdSet)},
		{Pattern: "GET /ad-sets", ID: "ad-set-index", Scope: account, Op: wire.Call(s.listAdSets)},
		{Pattern: "GET /ad-sets/{id}", ID: "ad-set-get", Scope: account, Op: wire.Call(s.getAdSet)},
		{Pattern: "GET /campaigns/{campaign-id}/ad-sets", ID: "ad-set-index-by-campaign", Scope: account, Op: wire.Call(s.listAdSetsOf)},
		{Pattern: "POST /ads", ID: "ad-create", Scope: account, Op: wire.Call(s.saveAd).Also(201)},
		{Pattern: "PUT,PATCH /ads/{id}", ID: "ad-update", Scope: account, Op: wire.Call(s.updateAd)},
		{Pattern: "GET /ads/{id}", ID: "ad-get", Scope: account, Op: wire.Call(s.getAd)},
		{Pattern: "GET /ad-sets/{ad-set-id}/ads", ID: "ad-index-by-ad-set", Scope: account, Op: wire.Call(s.listAdsOf)},
	}
}

// errorForm is the error form of JSON:API.
type errorForm struct{}

type errorDocument struct {
	Errors []errorObject `json:"errors"`
}

type errorObject struct {
	Status string       `json:"status"`
	Code   string       `json:"code"`
	Title  string       `json:"title"`
	Detail string       `json:"detail"`
	Source *errorSource `json:"source,omitempty"`
}

type errorSource struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
}

// EncodeError builds the body: one error for each failing field.
func (errorForm) EncodeError(p wire.Problem) (int, any) {
	status := p.Status
	switch {
	case p.Code == adsync.CodeRemoved && errors.Is(p.Err, affiliate.ErrState):
		status = http.StatusGone
	case status == http.StatusConflict && len(p.Fields) > 0: // a reference id that is taken
		status = http.StatusUnprocessableEntity
	}
	one := errorObject{Status: strconv.Itoa(status), Code: p.Code, Title: http.StatusText(status), Detail: p.Message}
	if len(p.Fields) == 0 {
		switch p.Code {
		case "type_mismatch":
			one.Source = &errorSource{Pointer: "/data/type"}
		case "id_mismatch":
			one.Source = &errorSource{Pointer: "/data/id"}
		}
		return status, errorDocument{[]errorObject{one}}
	}
	var d errorDocument
	for _, f := range p.Fields {
		e := one
		e.Code, e.Source = f.Code, sourceOf(f.Field)
		name := f.Field[strings.LastIndexByte(f.Field, '.')+1:]
		e.Detail = name + " " + f.Message + "."
		d.Errors = append(d.Errors, e)
	}
	return status, d
}

// sourceOf says where a field of an error stands in the request: fields of the
// decoder begin with the place, those of the domain are attributes and parents.
func sourceOf(field string) *errorSource {
	first, rest, _ := strings.Cut(field, ".")
	switch first {
	case "filter", "page":
		if rest == "" {
			return &errorSource{Parameter: first}
		}
		return &errorSource{Parameter: first + "[" + rest + "]"}
	case "data":
		return &errorSource{Pointer: "/" + strings.ReplaceAll(field, ".", "/")}
	case "id":
		return &errorSource{Pointer: "/data/id"}
	case "ad_account", "campaign", "ad_set":
		return &errorSource{Pointer: "/data/relationships/" + first}
	}
	return &errorSource{Pointer: "/data/attributes/" + strings.ReplaceAll(field, ".", "/")}
}
