package google

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/internal/rest"
)

// products sends products, each in calls of its own. An insert replaces the
// product that has the same name.
func (s *sender) products(ctx context.Context, ops []adsync.Operation, items []int, out []adsync.Result) {
	queue := make(chan int)
	var workers sync.WaitGroup
	for range min(s.d.o.Parallel, len(items)) {
		workers.Go(func() {
			for n := range queue {
				out[n] = s.product(ctx, ops[n])
			}
		})
	}
	for _, n := range items {
		queue <- n
	}
	close(queue)
	workers.Wait()
}

// attributes are the fields of a product that are texts, and their names at Google.
var attributes = map[string]string{
	"title": "title", "description": "description", "link": "link", "image_link": "imageLink", "brand": "brand",
	"condition": "condition", "availability": "availability",
}

func (s *sender) product(ctx context.Context, op adsync.Operation) adsync.Result {
	source := op.Fields["data_source"]
	m := dataSourceForm.FindStringSubmatch(firstOf(source, s.at.CatalogID))
	if m == nil {
		return adsync.Result{Failure: &adsync.Failure{Code: adsync.CodeInvalid, Field: "data_source", Detail: "The data source must look like accounts/1/dataSources/2.", Unapplied: true}}
	}
	name := op.Fields["content_language"] + "~" + op.Fields["feed_label"] + "~" + op.RecordID.String()
	p := productCalls{s, m[0], "/products/" + s.d.o.MerchantVersion + "/accounts/" + m[1] + "/productInputs"}
	if op.Action == adsync.Remove {
		request, f := p.delete(ctx, firstOf(op.RemoteID, name))
		return adsync.Result{RequestID: request, Failure: f}
	}
	request, f := p.insert(ctx, op)
	if f == nil && op.RemoteID != "" && op.RemoteID != name {
		// Language and label are parts of the name: under the old one there is another product.
		request, f = p.delete(ctx, op.RemoteID)
	}
	if f != nil {
		return adsync.Result{RequestID: request, Failure: f}
	}
	return adsync.Result{RemoteID: name, RequestID: request}
}

// productCalls are the calls for products of one data source.
type productCalls struct {
	*sender
	source, base string
}

func (p productCalls) insert(ctx context.Context, op adsync.Operation) (string, *adsync.Failure) {
	values := map[string]any{}
	for ours, theirs := range attributes {
		if v := op.Fields[ours]; v != "" {
			values[theirs] = v
		}
	}
	values["price"] = map[string]string{"amountMicros": op.Fields["price.amount_micros"], "currencyCode": op.Fields["price.currency_code"]}
	return p.call(ctx, rest.Call{Method: http.MethodPost, Path: p.base + ":insert", JSON: map[string]any{
		"offerId": op.RecordID.String(), "contentLanguage": op.Fields["content_language"], "feedLabel": op.Fields["feed_label"], "productAttributes": values,
	}})
}

// delete deletes a product; one that is gone is deleted.
func (p productCalls) delete(ctx context.Context, name string) (string, *adsync.Failure) {
	request, f := p.call(ctx, rest.Call{Method: http.MethodDelete, Path: p.base + "/" + url.PathEscape(name)})
	if f != nil && f.Code == adsync.CodeGone {
		return request, nil
	}
	return request, f
}

// call returns the id of the request.
func (p productCalls) call(ctx context.Context, c rest.Call) (string, *adsync.Failure) {
	c.Key, c.Query = p.at.ID, url.Values{"dataSource": {p.source}}
	a, f := p.d.merchant.Do(ctx, c)
	if f != nil {
		return "", f
	}
	request := a.Header.Get("Request-Id")
	if f = failure(p.d.merchant, p.at.ID, a); f != nil {
		f.RequestID = firstOf(f.RequestID, request)
	}
	return request, f
}

// readProducts reads products, each in a call of its own. One that Google has
// taken in and does not show yet is missing.
func (s *sender) readProducts(ctx context.Context, ids []string) ([]adsync.Found, *adsync.Failure) {
	m := dataSourceForm.FindStringSubmatch(s.at.CatalogID)
	if m == nil {
		return nil, nil
	}
	var out []adsync.Found
	for _, id := range ids {
		a, f := s.d.merchant.Do(ctx, rest.Call{
			Key: s.at.ID, Method: http.MethodGet, Safe: true, Path: "/products/" + s.d.o.MerchantVersion + "/accounts/" + m[1] + "/products/" + url.PathEscape(id),
		})
		if f == nil {
			f = failure(s.d.merchant, s.at.ID, a)
		}
		if f != nil && f.Code == adsync.CodeGone {
			continue
		}
		if f != nil {
			return nil, f
		}
		var product struct {
			Attributes map[string]json.RawMessage `json:"productAttributes"`
		}
		if err := json.Unmarshal(a.Body, &product); err != nil {
			return nil, badAnswer(a.Header.Get("Request-Id"))
		}
		found := adsync.Found{RemoteID: id, Fields: adsync.Fields{}}
		for ours, theirs := range attributes {
			var text string
			if json.Unmarshal(product.Attributes[theirs], &text) == nil {
				found.Fields[ours] = strings.ToUpper(text)
				if ours != "condition" && ours != "availability" {
					found.Fields[ours] = text
				}
			} else {
				found.Fields[ours] = ""
			}
		}
		var price struct {
			Micros   string `json:"amountMicros"`
			Currency string `json:"currencyCode"`
		}
		if json.Unmarshal(product.Attributes["price"], &price) == nil {
			found.Fields["price.amount_micros"], found.Fields["price.currency_code"] = price.Micros, price.Currency
		}
		out = append(out, found)
	}
	return out, nil
}
