package productlists

import (
	"errors"
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/host"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/productlists"
)

// Options sets up the dialect. They are those of httpadapter.Options, where each is
// described: go doc github.com/affiliatekit/affiliatekit/httpadapter.Options.
type Options = host.Options

// Services are what the dialect serves.
type Services struct {
	Core         *affiliate.Service // keeps the answers to Idempotency-Keys; may be nil
	ProductLists *productlists.Service
}

// New makes the dialect alone. It answers every path, unknown ones with its own
// 404, and works under a prefix: http.StripPrefix("/api", handler).
func New(s Services, o Options) (http.Handler, error) {
	if s.ProductLists == nil {
		return nil, errors.New("productlists: New needs Services.ProductLists")
	}
	o, err := o.WithDefaults(s.Core)
	if err != nil {
		return nil, err
	}
	return wire.NewMux(wire.Dialect{Errors: errorForm{}}, o.Wire(), (&server{s.ProductLists}).routes())
}

// Paths is the prefix of all paths of the document.
const Paths = "/v1/products/"

// server answers the routes. Its handlers decide nothing: they say whose lists
// they are about and make the answers' shapes.
type server struct{ lists *productlists.Service }

// routes is the document: one line for each of its routes, in its order. The
// filters of product-list-index-by-metadata are read by product-list-index,
// whose method and path it shares.
func (s *server) routes() []wire.Route {
	account := wire.Only(affiliate.RoleLists)
	return []wire.Route{
		{Pattern: "POST /v1/products/lists", ID: "product-list-create", Scope: account, Op: wire.Call(s.createList).Status(201)},
		{Pattern: "GET /v1/products/lists", ID: "product-list-index", Scope: account, Op: wire.Call(s.listLists)},
		{Pattern: "GET /v1/products/lists/{list_id}", ID: "product-list-get", Scope: account, Op: wire.Call(s.getList)},
		{Pattern: "DELETE /v1/products/lists/{list_id}", ID: "product-list-delete", Scope: account, Op: wire.Call(s.deleteList)},
		{Pattern: "POST /v1/products/lists/{list_id}/items", ID: "product-list-items-add", Scope: account, Op: wire.Call(s.addProducts)},
		{Pattern: "DELETE /v1/products/lists/{list_id}/products", ID: "product-list-products-remove", Scope: account, Op: wire.Call(s.removeProducts)},
	}
}

// errorForm is the dialect's error form.
type errorForm struct{}

type errorAnswer struct {
	Error struct {
		Code    string              `json:"code"`
		Message string              `json:"message"`
		Fields  map[string][]string `json:"fields"`
	} `json:"error"`
	Meta meta `json:"meta"`
}

// EncodeError builds the body. Fields is an object, empty when no field is at fault.
func (errorForm) EncodeError(p wire.Problem) (int, any) {
	var a errorAnswer
	a.Error.Code, a.Error.Message = p.Code, p.Message
	a.Error.Fields = make(map[string][]string, len(p.Fields))
	for _, f := range p.Fields {
		a.Error.Fields[f.Field] = append(a.Error.Fields[f.Field], f.Message)
	}
	a.Meta.TraceID = p.RequestID
	return p.Status, a
}
