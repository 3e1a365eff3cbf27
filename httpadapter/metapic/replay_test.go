package metapic_test

import (
	"encoding/base64"
	"fmt"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/open"
)

const (
	linkShape    = `{"id":1,"url":"","original_url":"","mtpc_url":"","user_id":1,"country":"","provider":"","advertiser":{"id":1,"name":""}}`
	dryLinkShape = `{"id":null,"url":"","original_url":"","mtpc_url":null,"user_id":1,"country":"","provider":"","advertiser":{"id":1,"name":""}}`
	ruleShape    = `{"id":1,"type":"","is_main":true,"url":"","keyword":"","updated_at":""}`
	partShape    = `{"id":1,"offer_id":1,"user_id":1,"display_name":"","clicks":1,"status":"","todo":null,"payment_amount":null}`
	targetsShape = `{"user_ids":[1],"user_tag_ids":[],"store_group_ids":[],"emails":[""],"social_media_identifiers":[""],"client_ids":[],"revenue_tier_ids":[]}`
	commentShape = `{"id":1,"offer_user_id":1,"comment":"","author":{"id":1,"username":""},"created_at":"","updated_at":""}`
	moneyShape   = `{"amount":"","currency":""}`
	pixelShape   = `{"organization_id":1,"program_id":1,"event_id":1,"currency":"","pixel_url":"","script":""}`
	setupShape   = `{"payment_setup_id":"","status":""}`
	systemShape  = `{"date":"","client_id":1,"user_id":1,"system":1,"ignore_lock":true,"locked":true}`
	userShape    = `{"id":1,"username":"","display_name":"","email":"","client_id":1,"preferred_locale":""}`
)

// csvFile is an uploaded file in JSON.
func csvFile(content string) string { return base64.StdEncoding.EncodeToString([]byte(content)) }

// replays has one line for each built operation.
func replays(in contract.World) map[string]contract.Replay {
	w := in.(*market.World)
	id := func(name string) int64 {
		if w.ID[name] == 0 {
			w.T.Fatalf("the world has no %q", name)
		}
		return w.ID[name]
	}
	acme := map[string]string{"advertiser_id": "advertiser acme"}
	anna := map[string]string{"user_id": "user anna"}
	rule := map[string]string{"advertiser_id": "advertiser acme", "urlMatchingRule_id": "rule acme"}
	summer, vips := map[string]string{"offer_id": "offer summer"}, map[string]string{"offer_id": "offer vips"}
	inStore := map[string]string{"store_id": "advertiser acme"}
	nordic, food := []any{id("advertiser nordic")}, []any{id("category Food")}
	part := func(name string) map[string]string {
		return map[string]string{"offer_id": "offer vips", "participant_id": "participant " + name}
	}
	budget := func(name string) map[string]string {
		return map[string]string{"store_id": "advertiser acme", "id": "budget " + name}
	}
	someTargets := map[string]any{
		"user_ids": []any{id("user dora"), 999999}, "user_tag_ids": []any{id("tag vip")}, "store_group_ids": []any{id("group sv_SE")}, "client_ids": []any{id("client west")},
	}
	return map[string]contract.Replay{
		"blocklist-list": {Who: "admin", Path: acme, Status: 200, Query: map[string]any{"query": nil}}, // the example shows entries of clients
		"blocklist-add": {Who: "author", Path: acme, Status: 201, Body: map[string]any{
			"users":        []any{map[string]any{"id": id("user bo"), "validate_clicks": true}, map[string]any{"id": id("user dora"), "validate_clicks": false}},
			"user_tag_ids": []any{id("tag favourites")}, "client_ids": []any{id("client west")},
		}, Answer: `{"data":[{"id":1,"created_at":"","created_by":` + userShape + `,"user":{"id":1,"username":"","validate_clicks":true}},
			{"id":1,"user_tag":{"id":1,"name":"","slug":"","access_level":1,"store_id":null}},{"id":1,"client":{"id":1,"name":"","client_id":""}}]}`},
		"blocklist-remove":                {Who: "advertiser", Path: map[string]string{"advertiser_id": "advertiser acme", "target_id": "entry carl"}, Status: 204},
		"order-collector-sales-pixel-get": {Who: "advertiser", Path: map[string]string{"advertiser": "advertiser acme"}, Status: 200, Answer: pixelShape},
		"order-collector-get": {Who: "advertiser", Path: map[string]string{"advertiser": "advertiser acme", "collector": "collector woocommerce"}, Status: 200,
			Answer: `{"organization_id":1,"program_id":1,"event_id":1,"currency":"","pixel_url":"","script":"","collector":"","activation_key":""}`},
		"tracking-plugin-activate": {Who: "nobody", Status: 200, Body: map[string]any{"metapic_activation_key": w.Token["activation acme"]},
			Answer: `{"organization_id":1,"program_id":1,"event_id":1,"currency":""}`},
		"advertiser-payment-setup-get":    {Who: "advertiser", Path: acme, Status: 200, Answer: `{"payment_setup_id":null,"status":""}`},
		"advertiser-payment-setup-create": {Who: "advertiser", Path: acme, Status: 201, Answer: setupShape},
		"store-payment-update":            {Who: "agency", Path: map[string]string{"advertiser": "advertiser mall_one"}, Status: 200, Answer: setupShape},
		"payment-invoices-zip":            {Who: "admin", Status: 200, File: "PK"}, // an empty ZIP: nothing was paid in that month
		"payments-upload-ax-id-matching": {Who: "admin", Status: 200, Body: map[string]any{"file": csvFile(fmt.Sprintf("ax_id,user_id\nAX1,%d\nAX2,999999\n", id("user anna")))},
			Answer: `{"matched":1,"skipped":[{"row":1,"reason":""}]}`},
		"payments-mark-invoices-as-paid": {Who: "client", Status: 200, Body: map[string]any{"file": csvFile("invoice_number,paid_at\n" + w.Token["invoice anna"] + ",2026-03-01\nX-1,2026-03-01\n")},
			Answer: `{"paid":1,"skipped":[{"row":1,"reason":""}]}`},
		"payment-generate-creator-invoice": {Who: "admin", Path: map[string]string{"paymentId": "payment bo"}, Status: 200, Answer: `{"id":1,"invoice_number":"","status":""}`},
		"payment-systems-config-update": {Who: "admin", Status: 200, Body: map[string]any{"client_id": id("client north"), "user_id": id("user anna")},
			Answer: `[` + systemShape + `]`},
		"payment-systems-config-list": {Who: "admin", Status: 200, Query: map[string]any{"client_id": id("client north"), "user_id": id("user anna")}, Answer: `[]`},
		"stores-list":                 {Who: "admin", Status: 200, Query: map[string]any{"query": "acme", "store_group_id": id("group sv_SE"), "sort_by": "name:asc"}},
		"url-matching-rules-list":     {Who: "advertiser", Path: acme, Status: 200},
		"url-matching-rule-add":       {Who: "advertiser", Path: acme, Status: 201, Answer: ruleShape},
		"url-matching-rule-update":    {Who: "advertiser", Path: rule, Status: 200, Answer: ruleShape},
		"url-matching-rule-remove":    {Who: "advertiser_2", Path: map[string]string{"advertiser_id": "advertiser nordic", "urlMatchingRule_id": "rule nordic"}, Status: 204},
		"self-service-store-create": {Who: "agency", Status: 201, Body: map[string]any{ // country and currency carry slips of the document
			"categories": []any{id("category Food")}, "country": " SE", "currency": "EUR",
		}},
		"advertiser-deactivate":  {Who: "agency", Path: map[string]string{"advertiser_id": "advertiser mall_one"}, Status: 200, Answer: `{"id":1,"name":""}`},
		"advertiser-groups-list": {Who: "admin", Status: 200, Query: map[string]any{"sort_by": "key:desc"}},
		"affiliate-link-get":     {Who: "creator", Path: map[string]string{"id": "link anna"}, Status: 200, Answer: linkShape},
		"affiliate-link-create": {Who: "creator", Status: 200, Body: map[string]any{
			"url": "https://acme.example", "advertiser_id": id("advertiser acme"), "advertiser_group_id": id("group sv_SE"),
		}, Answer: dryLinkShape},
		"user-affiliate-link-create": {Who: "creator", Path: anna, Status: 201, Body: map[string]any{
			"url": "https://acme.example", "advertiser_id": id("advertiser acme"), "advertiser_group_id": id("group sv_SE"),
		}, Answer: linkShape},
		"user-affiliate-link-inspect": {Who: "creator", Path: anna, Status: 200, Body: map[string]any{"url": "https://acme.example/shoes?size=38"},
			Answer: `{"url":"","convertible":true,"reason":null,"existing_affiliate_link":` + linkShape + `,"advertisers":[{"id":1,"name":"","logo_url":"","currency":""}]}`},
		"user-affiliate-link-convert-v3": {Who: "creator", Path: anna, Status: 201, Body: map[string]any{
			"url": "https://acme.example/v3", "advertiser_id": id("advertiser acme"),
		}, Answer: linkShape},
		"campaign-create": {Who: "advertiser", Path: inStore, Status: 201, Body: map[string]any{ // valid_until is before valid_from in the update's example
			"priority_after": id("offer summer"), "shared_budget_id": id("budget acme"), "targets": someTargets, "store_group_id": id("group sv_SE"),
		}},
		"campaign-get":    {Who: "creator", Path: summer, Status: 200},
		"campaign-update": {Who: "advertiser", Path: map[string]string{"id": "offer summer"}, Status: 200, Body: map[string]any{"valid_until": "2094-08-13", "store_group_id": id("group sv_SE"), "priority_after": id("offer vips"), "shared_budget_id": id("budget acme"), "targets": someTargets}},
		"campaign-delete": {Who: "advertiser", Path: map[string]string{"id": "offer old"}, Status: 204},
		"campaigns-list": {Who: "admin", Status: 200, Query: map[string]any{
			"query": "summer", "statuses": []any{"active", "scheduled"}, "store_ids": []any{id("advertiser acme")}, "store_group_ids": []any{id("group sv_SE")}, "created_by": nil,
			"or_id": id("offer norse"), "target_user_id": id("user anna"), "show_for_advertiser": false, "sort_by": "name:asc", "format": nil, "advertiser_id": id("advertiser acme"),
		}},
		"campaign-image-upload": {Who: "advertiser", Path: summer, Status: 200, Body: map[string]any{"default": base64.StdEncoding.EncodeToString(market.PNG(w.T))}},
		"campaign-pause":        {Who: "advertiser", Path: summer, Status: 200},
		"campaign-unpause":      {Who: "advertiser", Path: summer, Status: 200},
		"campaign-stats": {Who: "advertiser", Path: summer, Status: 200,
			Answer: `{"clicks":1,"unique_users":1,"orders":1,"order_value":` + moneyShape + `,"cost":` + moneyShape + `,"earnings":` + moneyShape + `,"per_day":[]}`},
		"user-offers-list":      {Who: "creator", Path: anna, Status: 200, Query: map[string]any{"status": nil, "statuses": []any{"applied"}}},
		"user-campaigns-list":   {Who: "client", Path: anna, Status: 200, Query: map[string]any{"status": nil, "statuses": []any{"applied", "done"}}},
		"campaign-get-by-token": {Who: "creator", Path: map[string]string{"offer_token": "token summer"}, Status: 200},
		"offer-targets-list":    {Who: "advertiser", Path: vips, Status: 200, Answer: targetsShape},
		"offer-targets-add":     {Who: "advertiser", Path: vips, Status: 201, Body: someTargets, Answer: targetsShape},
		"offer-user-check": {Who: "advertiser", Path: map[string]string{"offer_id": "offer vips", "id": "user anna"}, Status: 200,
			Answer: `{"is_added":true,"participant":` + partShape + `}`},
		"offer-participants-list":                    {Who: "advertiser", Path: vips, Status: 200, Body: map[string]any{"query": nil, "status": nil}},
		"offer-participant-get":                      {Who: "advertiser_2", Path: map[string]string{"offer_id": "offer norse", "id": "participant bo"}, Status: 200},
		"offer-participants-stats":                   {Who: "advertiser", Path: vips, Status: 200, Body: map[string]any{"query": nil}},
		"offer-participants-count-by-click-activity": {Who: "advertiser", Path: vips, Status: 200, Answer: `{"active":1,"inactive":1}`},
		"offer-participant-status-update":            {Who: "advertiser", Path: part("email"), Status: 200},
		"offer-participant-todo-update":              {Who: "advertiser", Path: part("handle"), Status: 200},
		"offer-participant-payment-amount-update":    {Who: "advertiser", Path: part("anna"), Status: 200, Body: map[string]any{"payment_amount": map[string]any{"amount": "1.2", "currency": "SEK"}}},
		"offer-participant-clicks-override":          {Who: "advertiser", Path: part("handle"), Status: 200},
		"offer-participant-costs-override": {Who: "advertiser", Path: part("email"), Status: 200, Body: map[string]any{
			"traffic_sources_costs": []any{map[string]any{"source": 1, "cpc": map[string]any{"amount": "1.2", "currency": "SEK"}, "cpa": 0.2}},
		}},
		"offer-by-token-user-check": {Who: "creator", Path: map[string]string{"offer_token": "token vips", "user_id": "user anna"}, Status: 200,
			Answer: `{"is_added":true,"participant":` + partShape + `}`},
		"offer-by-token-user-join":  {Who: "creator", Path: map[string]string{"offer_token": "token vips", "user_id": "user anna"}, Status: 200, Answer: partShape},
		"offer-user-comment-add":    {Who: "author", Path: map[string]string{"offer_user_id": "participant anna"}, Status: 201, Answer: commentShape},
		"offer-user-comment-update": {Who: "author", Path: map[string]string{"offer_user_id": "participant anna", "id": "comment author"}, Status: 200, Answer: commentShape},
		"offer-user-comment-delete": {Who: "advertiser", Path: map[string]string{"offer_user_id": "participant anna", "id": "comment old"}, Status: 204},
		"offer-user-activities-list": {Who: "advertiser", Path: map[string]string{"offer_user": "participant anna"}, Status: 200,
			Answer: `{"data":[{"id":1,"type":"","actor":{"id":1,"username":""},"from":"","to":"","created_at":"","is_unread":true}],"has_unread_notification":true}`},
		"return-ads-list": {Who: "admin", Status: 200, Query: map[string]any{
			"query": "return", "advertiser_group_ids": []any{id("group sv_SE")}, "advertiser_ids": []any{id("advertiser acme")}, "statuses": []any{"active"}, "or_id": id("ad nordic"),
		}},
		"return-ad-create": {Who: "author", Status: 201, Null: []string{"affiliate_link.id"}, // only the library puts a link behind an ad
			Body: map[string]any{"advertiser_group_id": id("group sv_SE"), "advertiser_id": id("advertiser acme"), "advertiser_ids": nordic, "advertiser_category_ids": food}},
		"return-ad-get":              {Who: "advertiser", Path: map[string]string{"id": "ad acme"}, Status: 200},
		"return-ad-update":           {Who: "advertiser", Path: map[string]string{"id": "ad acme"}, Status: 200, Body: map[string]any{"advertiser_ids": nordic, "advertiser_category_ids": food}},
		"return-ad-delete":           {Who: "advertiser", Path: map[string]string{"id": "ad old"}, Status: 204},
		"return-ad-pause":            {Who: "advertiser", Path: map[string]string{"returnAd_id": "ad acme"}, Status: 200},
		"return-ad-unpause":          {Who: "advertiser", Path: map[string]string{"returnAd_id": "ad acme"}, Status: 200},
		"advertiser-return-ads-list": {Who: "advertiser", Path: inStore, Status: 200},
		"shared-budgets-list":        {Who: "advertiser", Path: inStore, Status: 200},
		"shared-budget-get":          {Who: "advertiser", Path: budget("acme"), Status: 200},
		"shared-budget-update":       {Who: "advertiser", Path: budget("acme"), Status: 200},
		"shared-budget-delete":       {Who: "advertiser", Path: budget("spare"), Status: 204},
		"advertiser-email-quota-get": {Who: "advertiser", Path: acme, Status: 200, Answer: `{"limit":1,"used":1,"remaining":1,"resets_at":""}`},
		"advertiser-representative-create": {Who: "session", Status: 201, Answer: `{"id":1,"name":""}`, Body: map[string]any{ // country and currency carry slips of the document
			"domains": []any{[]any{"dev.rep-test.com"}}, "categories": []any{id("category Food")}, "country": " SE", "currency": "EUR",
		}},
		"advertiser-invites-accept": {Who: "session_2", Status: 200, Answer: `{"accepted":[{"id":1,"store_id":1,"agency_id":null,"expires_at":""}]}`},
		"agency-invites-accept":     {Who: "session_3", Status: 200, Answer: `{"accepted":[{"id":1,"store_id":null,"agency_id":1,"expires_at":""}]}`},
		"user-media-list":           {Who: "admin", Status: 200, Query: map[string]any{"query": nil, "favorite": nil, "group": nil, "format": "json"}},
		"user-stores-by-categories": {Who: "creator", Path: anna, Status: 200, Answer: `[{"id":1,"name":"","stores":[{"id":1,"name":"","logo_url":"","currency":""}]}]`},
		"user-stores-by-toplist":    {Who: "client", Path: anna, Status: 200, Answer: `[{"id":1,"name":"","logo_url":"","currency":"","clicks":1}]`},
		"entrypoint-get":            {Who: "creator", Status: 200, Body: map[string]any{"store_id": id("advertiser acme")}, Answer: `{"app":"","user":{"id":1,"username":""},"roles":[""],"store":{"id":1,"name":""},"features":[""]}`},
		"notifications-proxy":       {Who: "creator", Path: map[string]string{"path": "notification"}, Status: 200, Answer: `{"ok":true}`},
		"ory-identity-created":      {Who: "service", Status: 204},
		"ory-identity-updated":      {Who: "service", Status: 204},
		"image-upload":              {Who: "creator", Status: 201, Body: map[string]any{"image": base64.StdEncoding.EncodeToString([]byte(open.BlankPNG))}, Answer: `{"key":"","url":"","base_url":"","base64":""}`},
		"user-create":               {Who: "session_4", Status: 201, Body: map[string]any{"client_id": "public-north"}},
		"user-identity-update":      {Who: "creator", Path: anna, Status: 200, Answer: userShape},
		"clients-list":              {Who: "admin", Status: 200, Query: map[string]any{"query": "north", "advertiser_group_ids": []any{id("group sv_SE")}, "sort_by": "name:asc"}},
		"health-get":                {Who: "nobody", Status: 200},
		"store-categories-list":     {Who: "creator", Status: 200},
		"users-list": {Who: "advertiser", Status: 200, Query: map[string]any{
			"query": "anna", "client_id": id("client north"), "store_group_id": id("group sv_SE"), "advertiser_id": id("advertiser acme"), "sort_by": "username:asc",
		}},
		"user-get": {Who: "creator", Path: map[string]string{"id": "user anna"}, Status: 200},
		"users-match": {Who: "admin", Status: 200, Query: map[string]any{
			"advertiser_group_id": id("group sv_SE"), "user_emails_or_ids": []any{id("user anna"), "carl@creators.example", "nobody@creators.example"},
		}, Answer: `{"matched":[{"input":1,"user":` + userShape + `},{"input":"","user":` + userShape + `}],"unmatched":[""]}`},
		"users-approve":  {Who: "admin", Status: 200, Body: map[string]any{"user_ids": []any{id("user carl"), id("user anna"), 999999}}, Answer: `{"approved":[1],"unchanged":[1],"not_found":[1]}`},
		"users-ban":      {Who: "client", Status: 200, Body: map[string]any{"user_ids": []any{id("user anna")}}, Answer: `{"banned":[1],"unchanged":[],"not_found":[]}`},
		"user-tags-list": {Who: "admin", Status: 200, Query: map[string]any{"name": "vip", "store_id": id("advertiser acme"), "access_levels": []any{1, 2}, "sort_by": "slug:asc"}},
	}
}
