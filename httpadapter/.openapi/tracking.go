package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// addition is what the table does not know of a route that reads and writes
// everything itself.
type addition struct {
	parameters []*huma.Param
	response   map[string]*huma.Response // in place of 200
}

var extra = map[string]addition{
	"tracking-return-ad-view":  {parameters: []*huma.Param{shop()}, response: map[string]*huma.Response{"200": pixel("Counted, or not: the answer is the same.")}},
	"tracking-return-ad-click": {parameters: []*huma.Param{shop()}, response: map[string]*huma.Response{"302": sentOn("To where the ad leads.")}},
	"tracking-media":           {response: map[string]*huma.Response{"200": picture()}},
	"tracking-media-scaled":    {response: map[string]*huma.Response{"200": picture()}},
	"metapic-notifications-proxy": {response: map[string]*huma.Response{"default": {
		Description: "What the notification service returned.", Content: map[string]*huma.MediaType{"*/*": {Schema: binary()}},
	}}},
}

func shop() *huma.Param {
	return query("advertiser_id", "The advertiser at whose shop the ad was shown.", &huma.Schema{Type: huma.TypeInteger, Format: "int64"})
}

func query(name, description string, schema *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Schema: schema}
}

func binary() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "binary"} }

func pixel(description string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"image/gif": {Schema: binary()}}}
}

func picture() *huma.Response {
	content := map[string]*huma.MediaType{}
	for _, media := range []string{"image/png", "image/jpeg", "application/octet-stream"} {
		content[media] = &huma.MediaType{Schema: binary()}
	}
	return &huma.Response{Description: "The picture.", Content: content}
}

func sentOn(description string) *huma.Response {
	return &huma.Response{Description: description, Headers: map[string]*huma.Param{"Location": {Description: "Where the reader is sent.", Schema: text("uri")}}}
}

func plain(description, media string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{media: {Schema: text("")}}}
}

func problem(description string) *huma.Response {
	schema := object(map[string]*huma.Schema{"message": text(""), "code": text("")})
	schema.Required = []string{"message", "code"}
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// tracking are the operations of handlers that have no table of routes.
func tracking() []*huma.Operation {
	open := func(method, path, id, summary, description, tag string, parameters []*huma.Param, responses map[string]*huma.Response) *huma.Operation {
		return &huma.Operation{
			Method: method, Path: path, OperationID: "tracking-" + id, Summary: summary, Description: description, Tags: []string{tag},
			Parameters: parameters, Responses: responses, Security: []map[string][]string{},
		}
	}
	const links, orders, host = "Links", "Orders", "Operation"
	sourceOf := query("src", "The traffic source; without it the Referer tells.", &huma.Schema{Type: huma.TypeString, Enum: []any{"general", "instagram", "tiktok", "youtube", "facebook"}})
	id := &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}, Example: 1}
	return []*huma.Operation{
		open(http.MethodGet, "/c/{id}", redirectID, "Follow a link", "Counts the click and sends the reader to the shop. HEAD and prefetch are sent on and not counted.", links,
			[]*huma.Param{id, sourceOf}, map[string]*huma.Response{
				"302": sentOn("To the shop."), "404": problem("There is no such link."), "405": problem("Links are followed with GET or HEAD."), "503": problem("The click could not be kept now."),
			}),
		open(http.MethodGet, "/report", "report-get", "Report an order with a pixel", "The answer is always a picture; the status and two headers say what became of the order.", orders, report(), reported()),
		open(http.MethodPost, "/report", "report-post", "Report an order with a beacon", "The query is read first, then the form in the body.", orders, report(), reported()),
		open(http.MethodGet, "/report.js", "report-script", "The tracking script", "What a shop puts on its pages.", orders, nil, map[string]*huma.Response{
			"200": plain("The script.", "text/javascript"), "304": {Description: "Not modified."},
		}),
		open(http.MethodGet, "/healthz", "health", "Whether the process lives", "Served by hosts that mount it, as examples/server does.", host, nil, map[string]*huma.Response{"200": plain("It lives.", "text/plain")}),
		open(http.MethodGet, "/readyz", "readiness", "Whether requests are taken", "Served by hosts that mount it, as examples/server does.", host, nil, map[string]*huma.Response{
			"200": plain("Ready.", "text/plain"), "503": plain("Not ready: the database is away, or the server stops.", "text/plain"),
		}),
		open(http.MethodGet, "/metrics", "metrics", "Metrics", "In the text form of Prometheus. Served by hosts that mount it, as examples/server does.", host, nil, map[string]*huma.Response{"200": plain("The metrics.", "text/plain")}),
	}
}

const redirectID = "redirect"

func report() []*huma.Param {
	id := func() *huma.Schema { return &huma.Schema{Type: huma.TypeInteger, Format: "int64"} }
	longest := 255
	return []*huma.Param{
		query("organization", "The organization_id of the sales pixel.", id()),
		query("event", "The event_id of the sales pixel.", id()),
		query("ordernumber", "The shop's number of the order; sent again it is the same order.", &huma.Schema{Type: huma.TypeString, MaxLength: &longest}),
		query("ordervalue", "The value in major units, with a point.", matching(numeral, "499.50")),
		query("currency", "The currency of the value.", matching("^[A-Za-z]{3}$", "SEK")),
		query("voucher", "The voucher code that was used.", text("")),
		query("tax", "The part of the value that is tax.", matching(numeral, "99.90")),
		query("shipping", "The part of the value that is shipping.", matching(numeral, "49.00")),
		query("mtpc_cid", "The click ids, with commas between them.", text("")),
		query("tduid", "The same under its older name.", text("")),
		query("signature", "The signature of all that stands before it, where the advertiser asks for one.", text("")),
	}
}

func reported() map[string]*huma.Response {
	gif := func(description string) *huma.Response {
		r := pixel(description)
		r.Headers = map[string]*huma.Param{
			"X-Order-Outcome": {Description: "What became of the order.", Schema: text("")},
			"X-Order-Error":   {Description: "What is wrong with the report.", Schema: text("")},
		}
		return r
	}
	return map[string]*huma.Response{
		"200": gif("The order is kept, or was known."), "409": gif("Another value is known under this number."),
		"422": gif("The report cannot be used."), "503": gif("The order could not be kept now."),
	}
}
