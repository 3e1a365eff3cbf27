package adsynctest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// mutateRequest is the body of googleAds:mutate.
type mutateRequest struct {
	Operations     []map[string]mutateOperation `json:"mutateOperations"`
	PartialFailure bool                         `json:"partialFailure"`
	ValidateOnly   bool                         `json:"validateOnly"`
}

type mutateOperation struct {
	Create map[string]any `json:"create"`
	Update map[string]any `json:"update"`
	Mask   string         `json:"updateMask"`
	Remove string         `json:"remove"`
}

// collections are where the objects of an operation are.
var collections = map[string]string{
	"campaignBudgetOperation": "campaignBudgets", "campaignOperation": "campaigns", "campaignCriterionOperation": "campaignCriteria",
	"adGroupOperation": "adGroups", "adGroupAdOperation": "adGroupAds", "adOperation": "ads",
}

// mutate applies the operations: all or nothing, but with partialFailure each
// for itself.
func (g *Google) mutate(customer string, body mutateRequest, fault ServiceFault) (int, any) {
	before := g.copy()
	temporary := map[string]string{}
	responses := []map[string]any{}
	var faults []*adsFault
	for n, named := range body.Operations {
		for name, op := range named {
			resource, refused := "", (*adsFault)(nil)
			switch {
			case fault == PartialFailure && n == 0:
				refused = &adsFault{kind: "databaseError", code: "CONCURRENT_MODIFICATION", message: "Multiple requests were attempting to modify the same resource at once."}
			case fault == DuplicateName && n == 0 && op.Create != nil:
				refused = &adsFault{kind: "campaignError", code: "DUPLICATE_CAMPAIGN_NAME", message: "The name is in use.", field: "name"}
			default:
				resource, refused = g.one(customer, collections[name], op, temporary)
			}
			if refused != nil {
				refused.index = n
				faults = append(faults, refused)
				responses = append(responses, map[string]any{})
				continue
			}
			responses = append(responses, map[string]any{strings.TrimSuffix(name, "Operation") + "Result": map[string]string{"resourceName": resource}})
		}
	}
	if body.ValidateOnly || len(faults) > 0 && !body.PartialFailure {
		g.objects, g.order, g.last = before.objects, before.order, before.last
	}
	switch {
	case len(faults) > 0 && !body.PartialFailure:
		return http.StatusBadRequest, map[string]any{"error": g.status(faults...)}
	case len(faults) > 0:
		return http.StatusOK, map[string]any{"mutateOperationResponses": responses, "partialFailureError": g.status(faults...)}
	case body.ValidateOnly:
		return http.StatusOK, map[string]any{}
	}
	return http.StatusOK, map[string]any{"mutateOperationResponses": responses}
}

func (g *Google) copy() *Google {
	c := &Google{objects: map[string]*GoogleObject{}, order: append([]string(nil), g.order...), last: g.last}
	for name, o := range g.objects {
		c.objects[name] = &GoogleObject{o.Resource, maps.Clone(o.Fields)}
	}
	return c
}

func (g *Google) one(customer, collection string, op mutateOperation, temporary map[string]string) (string, *adsFault) {
	switch {
	case op.Remove != "":
		o := g.objects[op.Remove]
		if o == nil {
			return "", &adsFault{kind: "mutateError", code: "RESOURCE_NOT_FOUND", message: "Resource was not found."}
		}
		if o.removed() || g.parentRemoved(o) {
			return "", &adsFault{kind: "contextError", code: "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", message: "The operation is not allowed for removed resources."}
		}
		o.Fields["status"] = "REMOVED"
		return o.Resource, nil
	case op.Update != nil:
		return g.update(customer, collection, op)
	}
	return g.create(customer, collection, op.Create, temporary)
}

// parentRemoved reports whether something above the object is removed.
func (g *Google) parentRemoved(o *GoogleObject) bool {
	for _, field := range []string{"campaign", "adGroup"} {
		if p := g.objects[o.text(field)]; p != nil && (p.removed() || g.parentRemoved(p)) {
			return true
		}
	}
	return false
}

func (g *Google) create(customer, collection string, fields map[string]any, temporary map[string]string) (string, *adsFault) {
	own := maps.Clone(fields)
	for field, value := range own { // references to what the call made before
		if name, ok := value.(string); ok && temporary[name] != "" && field != "resourceName" {
			own[field] = temporary[name]
		}
	}
	o := &GoogleObject{Fields: own}
	for _, needed := range map[string][]string{
		"campaignBudgets": {"name", "amountMicros"}, "campaigns": {"name", "campaignBudget", "advertisingChannelType", "containsEuPoliticalAdvertising"},
		"adGroups": {"name", "campaign"}, "adGroupAds": {"adGroup"}, "campaignCriteria": {"campaign"},
	}[collection] {
		if o.text(needed) == "" {
			return "", &adsFault{kind: "fieldError", code: "REQUIRED", message: "The required field was not present.", field: needed}
		}
	}
	for field, parent := range map[string]string{"campaign": "campaigns", "adGroup": "adGroups", "campaignBudget": "campaignBudgets"} {
		if name := o.text(field); name != "" {
			if p := g.objects[name]; p == nil || p.collection() != parent || p.removed() || g.parentRemoved(p) {
				return "", &adsFault{kind: "mutateError", code: "RESOURCE_NOT_FOUND", message: "Resource was not found.", field: field}
			}
		}
	}
	for _, other := range g.all(collection) {
		if name := o.text("name"); name != "" && other.text("name") == name && collection != "campaignBudgets" {
			return "", &adsFault{kind: "campaignError", code: "DUPLICATE_CAMPAIGN_NAME", message: "The name is in use.", field: "name"}
		}
	}
	g.last++
	id := strconv.Itoa(500_000 + g.last)
	switch collection {
	case "adGroupAds":
		ad, ok := own["ad"].(map[string]any)
		if !ok || ad["finalUrls"] == nil {
			return "", &adsFault{kind: "fieldError", code: "REQUIRED", message: "The required field was not present.", field: "ad"}
		}
		ad["id"] = id
		id = o.text("adGroup")[strings.LastIndexByte(o.text("adGroup"), '/')+1:] + "~" + id
	case "campaignCriteria":
		id = o.text("campaign")[strings.LastIndexByte(o.text("campaign"), '/')+1:] + "~" + id
	}
	o.Resource = "customers/" + customer + "/" + collection + "/" + id
	if name := o.text("resourceName"); name != "" {
		temporary[name] = o.Resource
	}
	g.objects[o.Resource] = o
	g.order = append(g.order, o.Resource)
	return o.Resource, nil
}

func (g *Google) update(customer, collection string, op mutateOperation) (string, *adsFault) {
	name, _ := op.Update["resourceName"].(string)
	o := g.objects[name]
	if collection == "ads" { // an ad is kept in its ad group's ad
		for _, a := range g.all("adGroupAds") {
			if strings.HasSuffix(a.Resource, "~"+name[strings.LastIndexByte(name, '/')+1:]) && strings.HasPrefix(a.Resource, "customers/"+customer+"/") {
				o = a
			}
		}
	}
	if o == nil || o.removed() || g.parentRemoved(o) {
		return "", &adsFault{kind: "mutateError", code: "RESOURCE_NOT_FOUND", message: "Resource was not found."}
	}
	for _, field := range strings.Split(op.Mask, ",") {
		field, _, _ = strings.Cut(field, ".")
		if collection == "ads" {
			ad := maps.Clone(o.Fields["ad"].(map[string]any))
			ad[field] = op.Update[field]
			o.Fields["ad"] = ad
		} else if value, there := op.Update[field]; there {
			o.Fields[field] = value
		} else {
			delete(o.Fields, field)
		}
	}
	return name, nil
}

var (
	insertPath  = regexp.MustCompile(`^/products/v\d+/(accounts/\d+)/productInputs:insert$`)
	productPath = regexp.MustCompile(`^/products/v\d+/(accounts/\d+)/(products|productInputs)/([^/]+)$`)
)

// merchant answers a call of the Merchant API.
func (g *Google) merchant(r *http.Request, fault ServiceFault) (int, any) {
	refuse := func(code int, status, message string) (int, any) {
		return code, map[string]any{"error": map[string]any{"code": code, "message": message, "status": status}}
	}
	if fault == PartialFailure {
		return refuse(http.StatusServiceUnavailable, "UNAVAILABLE", "The service is currently unavailable.")
	}
	source := r.URL.Query().Get("dataSource")
	if m := insertPath.FindStringSubmatch(r.URL.Path); m != nil && r.Method == http.MethodPost {
		var p map[string]any
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil || !strings.HasPrefix(source, m[1]+"/dataSources/") || p["offerId"] == nil {
			return refuse(http.StatusBadRequest, "INVALID_ARGUMENT", "The product or its data source is not valid.")
		}
		text := func(field string) string { s, _ := p[field].(string); return s }
		name := text("contentLanguage") + "~" + text("feedLabel") + "~" + text("offerId")
		g.products[source+" "+name] = p
		return http.StatusOK, map[string]any{"name": m[1] + "/productInputs/" + name, "product": m[1] + "/products/" + name}
	}
	m := productPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return refuse(http.StatusNotFound, "NOT_FOUND", "There is no such method.")
	}
	name, err := url.PathUnescape(m[3])
	if err != nil {
		return refuse(http.StatusBadRequest, "INVALID_ARGUMENT", "The name is not valid.")
	}
	for key, p := range g.products {
		if strings.HasPrefix(key, m[1]+"/") && strings.HasSuffix(key, " "+name) {
			if r.Method == http.MethodDelete {
				delete(g.products, key)
				return http.StatusOK, map[string]any{}
			}
			return http.StatusOK, p
		}
	}
	return refuse(http.StatusNotFound, "NOT_FOUND", "The product does not exist.")
}
