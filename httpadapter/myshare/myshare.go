package myshare

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Options sets up the dialect. They are those of httpadapter.Options, where each is
// described: go doc github.com/affiliatekit/affiliatekit/httpadapter.Options.
type Options = host.Options

// Services are what the dialect serves.
type Services struct {
	Core  *affiliate.Service // keeps the answers to Idempotency-Keys; may be nil
	Deals *deals.Service
	// Currencies are those that prices and deals may be in; default: USD and
	// RUB, as documented.
	Currencies []affiliate.Currency
}

// New makes the dialect alone. It answers every path, unknown ones with its own
// 404, and works under a prefix: http.StripPrefix("/api", handler).
func New(s Services, o Options) (http.Handler, error) {
	if s.Deals == nil {
		return nil, errors.New("myshare: New needs Services.Deals")
	}
	srv := &server{deals: s.Deals, currencies: slices.Clone(s.Currencies)}
	if len(srv.currencies) == 0 {
		srv.currencies = []affiliate.Currency{"USD", "RUB"}
	}
	for _, c := range srv.currencies {
		if !c.Valid() {
			return nil, errors.New("myshare: Services.Currencies must be ISO 4217 currencies, not " + string(c))
		}
	}
	o, err := o.WithDefaults(s.Core)
	if err != nil {
		return nil, err
	}
	return wire.NewMux(wire.Dialect{Errors: errorForm{}}, o.Wire(), srv.routes())
}

// Paths are the prefixes of all paths of the document, which are also written
// without the slash at their end.
func Paths() []string { return []string{"/catalog", "/offer", "/deal", "/landing", "/promo"} }

// server answers the routes. Its handlers decide nothing: they say whose things
// they are about, read the document's spellings and make the answers' shapes.
type server struct {
	deals      *deals.Service
	currencies []affiliate.Currency
}

// routes is the document: one line for each of its operations, in its order.
func (s *server) routes() []wire.Route {
	return []wire.Route{
		{Pattern: "GET /catalog/", ID: "catalog-index", Scope: seller, Op: wire.Call(s.listCatalogs)},
		{Pattern: "POST /catalog/", ID: "catalog-create", Scope: seller, Op: wire.Call(s.createCatalog)},
		{Pattern: "GET /catalog/{id}/", ID: "catalog-get", Scope: seller, Op: wire.Call(s.getCatalog)},
		{Pattern: "PUT,PATCH /catalog/{id}/", ID: "catalog-update", Scope: seller, Op: wire.Call(s.updateCatalog)},
		{Pattern: "POST /offer/", ID: "offer-create", Scope: seller, Op: wire.Call(s.createOffer).Status(201)},
		{Pattern: "GET /offer/{id}/", ID: "offer-get", Scope: seller, Op: wire.Call(s.getOffer)},
		{Pattern: "PUT,PATCH /offer/{id}/", ID: "offer-update", Scope: seller, Op: wire.Call(s.updateOffer)},
		{Pattern: "POST /deal/", ID: "deal-create", Scope: seller, Op: wire.Call(s.createDeal)},
		{Pattern: "GET /deal/{id}/", ID: "deal-get", Scope: seller, Op: wire.Call(s.getDeal)},
		{Pattern: "PATCH /deal/{id}/", ID: "deal-update", Scope: seller, Op: wire.Call(s.updateDeal)},
		{Pattern: "POST /landing/", ID: "landing-create", Scope: seller, Op: wire.Call(s.createLanding).Status(201)},
		{Pattern: "PUT,PATCH /landing/{id}/", ID: "landing-update", Scope: seller, Op: wire.Call(s.updateLanding)},
		{Pattern: "DELETE /landing/{id}/", ID: "landing-delete", Scope: seller, Op: wire.Call(s.deleteLanding)},
		{Pattern: "GET /promo/check_promo/", ID: "promo-check-promo", Scope: seller, Op: wire.Call(s.checkPromo)},
		{Pattern: "GET /promo/check_uuid/", ID: "promo-check-uuid", Scope: seller, Op: wire.Call(s.checkUID)},
	}
}

// seller lets business partners in. One whose subject is no id, as a host's own
// authenticator may make it by mistake, is nobody's.
var seller = wire.Scope{Name: "business partner", Allow: func(p affiliate.Principal, _ string) error {
	if p.Role != affiliate.RolePartner || sellerOf(p) == uuid.Nil {
		return affiliate.Forbidden("")
	}
	return nil
}}

// sellerOf is the business partner that a principal is.
func sellerOf(p affiliate.Principal) uuid.UUID {
	id, err := uuid.Parse(p.Subject)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// errorForm is the dialect's error form: {"field": ["..."]} for what is wrong
// with an input, else {"detail", "code"}.
type errorForm struct{}

type errorAnswer struct {
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// EncodeError builds the body. Everything that is wrong with a request is 400
// here, a code that is taken and a state that allows no such move as well.
func (errorForm) EncodeError(p wire.Problem) (int, any) {
	status := p.Status
	conflict := status == http.StatusConflict && (len(p.Fields) > 0 || errors.Is(p.Err, affiliate.ErrState))
	if status == http.StatusUnprocessableEntity || conflict {
		status = http.StatusBadRequest
	}
	if status != http.StatusBadRequest || len(p.Fields) == 0 {
		return status, errorAnswer{p.Message, p.Code}
	}
	fields := make(map[string][]string, len(p.Fields))
	for _, f := range p.Fields {
		name, below, nested := strings.Cut(f.Field, ".")
		message := sentence(f.Message)
		if nested {
			message = below + ": " + message
		}
		fields[name] = append(fields[name], message)
	}
	return status, fields
}

// sentence is "This field is required." for "is required".
func sentence(message string) string {
	if message == "" {
		return "This field is not valid."
	}
	return "This field " + message + "."
}
