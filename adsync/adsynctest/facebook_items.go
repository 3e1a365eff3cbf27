package adsynctest

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// itemsBatch takes a batch of items in; the fake works on it later.
func (f *Facebook) itemsBatch(catalog string, form url.Values, refuseFirst bool) (any, *graphFault) {
	b := &itemBatch{catalog: catalog, ready: f.o.Clock.Now().Add(f.o.Works)}
	if err := json.Unmarshal([]byte(form.Get("requests")), &b.requests); err != nil || form.Get("item_type") != "PRODUCT_ITEM" {
		return nil, invalid("requests", "The requests are not a list, or there is no item_type.")
	}
	if len(b.requests) > 5000 {
		return nil, invalid("requests", "Too many requests.")
	}
	if refuseFirst && len(b.requests) > 0 {
		b.invalid = append(b.invalid, b.requests[0].Data["id"])
	}
	f.last++
	b.handle = "handle-" + strconv.Itoa(f.last)
	f.batches[b.handle] = b
	f.waiting = append(f.waiting, b)
	return map[string]any{"handles": []string{b.handle}}, nil
}

// work brings the batches into their catalogs whose time has come, in the order
// in which they came.
func (f *Facebook) work(all bool) {
	for len(f.waiting) > 0 {
		b := f.waiting[0]
		if !all && f.o.Clock.Now().Before(b.ready) {
			return
		}
		f.waiting = f.waiting[1:]
		b.done = true
		items := f.catalogs[b.catalog]
		if items == nil {
			items = map[string]map[string]string{}
			f.catalogs[b.catalog] = items
		}
		for _, r := range b.requests {
			id := r.Data["id"]
			switch {
			case slices.Contains(b.invalid, id):
			case r.Method == "DELETE":
				delete(items, id)
			case r.Data["price"] == "" || r.Data["link"] == "" || r.Data["title"] == "":
				b.invalid = append(b.invalid, id)
			default:
				items[id] = maps.Clone(r.Data)
			}
		}
		b.requests = nil
	}
}

func (f *Facebook) status(handle string) (any, *graphFault) {
	b := f.batches[handle]
	if b == nil {
		return nil, invalid("handle", "The handle is not known.")
	}
	status, errs := "in_progress", []map[string]string{}
	ids := []string{}
	if b.done {
		status = "finished"
		for _, id := range b.invalid {
			ids = append(ids, id)
			errs = append(errs, map[string]string{"id": id, "message": "The item is not valid."})
		}
	}
	return map[string]any{"data": []map[string]any{{
		"handle": handle, "status": status, "errors": errs, "errors_total_count": len(errs), "ids_of_invalid_requests": ids,
	}}}, nil
}

func (f *Facebook) products(catalog string, q url.Values) (any, *graphFault) {
	var filter struct {
		ID struct {
			Any []string `json:"is_any"`
		} `json:"retailer_id"`
	}
	if err := json.Unmarshal([]byte(q.Get("filter")), &filter); err != nil {
		return nil, invalid("filter", err.Error())
	}
	data := []map[string]string{}
	for _, id := range filter.ID.Any {
		if i := f.catalogs[catalog][id]; i != nil {
			data = append(data, map[string]string{
				"id": "product-" + id, "retailer_id": id, "name": i["title"], "description": i["description"], "availability": i["availability"],
				"condition": i["condition"], "url": i["link"], "image_url": i["image_link"], "brand": i["brand"], "price": i["price"],
			})
		}
	}
	return map[string]any{"data": data}, nil
}
