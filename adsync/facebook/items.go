package facebook

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// itemFields are the fields of an item that are sent.
var itemFields = []string{"title", "description", "availability", "condition", "price", "link", "image_link", "brand"}

// itemRequest is one change of a catalog.
type itemRequest struct {
	Method string            `json:"method"` // UPDATE adds an item that is not there
	Data   map[string]string `json:"data"`
}

// applyItems sends items, many in a call, and asks what became of those that were
// sent before.
func (d *Driver) applyItems(ctx context.Context, a adsync.AdAccount, ops []adsync.Operation, items []int, out []adsync.Result) {
	handles := map[[2]string][]int{} // by catalog and handle
	catalogs := map[string][]int{}
	var order []func()
	for _, n := range items {
		catalog := ops[n].Fields["catalog"]
		if catalog == "" {
			catalog = a.CatalogID
		}
		if h := ops[n].Handle; h != "" {
			key := [2]string{catalog, h}
			if handles[key] == nil {
				order = append(order, func() { d.ask(ctx, a, catalog, h, ops, handles[key], out) })
			}
			handles[key] = append(handles[key], n)
			continue
		}
		if catalogs[catalog] == nil {
			order = append(order, func() {
				for chunk := range slices.Chunk(catalogs[catalog], d.o.ItemBatch) {
					d.sendItems(ctx, a, catalog, ops, chunk, out)
				}
			})
		}
		catalogs[catalog] = append(catalogs[catalog], n)
	}
	for _, do := range order {
		do()
	}
}

// sendItems puts items into a catalog. Facebook works on them later.
func (d *Driver) sendItems(ctx context.Context, a adsync.AdAccount, catalog string, ops []adsync.Operation, chunk []int, out []adsync.Result) {
	requests := make([]itemRequest, len(chunk))
	for n, i := range chunk {
		data := map[string]string{"id": ops[i].RecordID.String()}
		for _, name := range itemFields {
			if value := ops[i].Fields[name]; value != "" {
				data[name] = value
			}
		}
		requests[n] = itemRequest{Method: "UPDATE", Data: data}
		if ops[i].Action == adsync.Remove {
			requests[n] = itemRequest{Method: "DELETE", Data: map[string]string{"id": ops[i].RecordID.String()}}
		}
	}
	var answer struct {
		Handles    []string `json:"handles"`
		Validation []struct {
			ID     string `json:"retailer_id"`
			Errors []struct {
				Message string `json:"message"`
			} `json:"errors"`
		} `json:"validation_status"`
	}
	s := sender{d: d, at: a}
	form := url.Values{"item_type": {"PRODUCT_ITEM"}, "allow_upsert": {"true"}, "requests": {compact(requests)}}
	f := s.post(ctx, http.MethodPost, "/"+url.PathEscape(catalog)+"/items_batch", form, &answer)
	if f == nil && len(answer.Handles) == 0 && len(answer.Validation) == 0 {
		f = badAnswer(s.request)
	}
	invalid := map[string]string{}
	for _, v := range answer.Validation {
		if len(v.Errors) > 0 {
			invalid[v.ID] = v.Errors[0].Message
		}
	}
	for _, i := range chunk {
		out[i] = adsync.Result{RequestID: s.request, RetryAfter: d.o.PollAfter}
		message, refused := invalid[ops[i].RecordID.String()]
		switch {
		case f != nil:
			own := *f
			out[i].Failure = &own
		case refused:
			out[i].Failure = &adsync.Failure{Code: adsync.CodeInvalidItem, Detail: message, Unapplied: true, RequestID: s.request}
		case len(answer.Handles) == 0:
			out[i].Failure = badAnswer(s.request)
		default:
			out[i].Handle = answer.Handles[0]
		}
	}
}

// ask asks what became of items that were sent together.
func (d *Driver) ask(ctx context.Context, a adsync.AdAccount, catalog, handle string, ops []adsync.Operation, items []int, out []adsync.Result) {
	var answer struct {
		Data []struct {
			Status  string   `json:"status"`
			Invalid []string `json:"ids_of_invalid_requests"`
			Errors  []struct {
				ID      string `json:"id"`
				Message string `json:"message"`
			} `json:"errors"`
		} `json:"data"`
	}
	s := sender{d: d, at: a}
	query := url.Values{
		"handle": {handle}, "load_ids_of_invalid_requests": {"true"}, "fields": {"handle,status,errors,errors_total_count,ids_of_invalid_requests"},
	}
	f := s.get(ctx, "/"+url.PathEscape(catalog)+"/check_batch_request_status", query, &answer)
	switch {
	case f != nil && (f.Code == adsync.CodeInvalid || f.Code == adsync.CodeGone):
		// Facebook has forgotten the handle. The items are sent again.
		f.Code, f.Retryable, f.Unapplied = adsync.CodeUnknownResult, true, false
	case f == nil && len(answer.Data) == 0:
		f = badAnswer(s.request)
	}
	for _, i := range items {
		id := ops[i].RecordID.String()
		out[i] = adsync.Result{RequestID: s.request}
		if f != nil {
			own := *f
			out[i].Failure = &own
			continue
		}
		status := answer.Data[0]
		switch {
		case !strings.EqualFold(status.Status, "finished"):
			out[i].Handle, out[i].RetryAfter = handle, d.o.PollAfter
		case slices.Contains(status.Invalid, id):
			out[i].Failure = &adsync.Failure{Code: adsync.CodeInvalidItem, Detail: "Facebook refused the item.", RequestID: s.request}
			for _, e := range status.Errors {
				if e.ID == id && e.Message != "" {
					out[i].Failure.Detail = e.Message
				}
			}
		default:
			out[i].RemoteID = id
		}
	}
}
