package advertiser_test

import (
	"encoding/base64"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/contract"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
)

// replays has one line for each built operation.
func replays(in contract.World) map[string]contract.Replay {
	w := in.(*market.World)
	acme := map[string]string{"id": "advertiser acme"}
	at := func(name, fixture string) map[string]string {
		return map[string]string{"id": "advertiser acme", name: fixture}
	}
	ref := func(name string) []any { return []any{map[string]any{"id": w.ID[name]}} }
	fields := map[string]any{
		"clients": ref("client west"), "revenue_tiers": ref("tier gold"), "store_groups": ref("group sv_SE"), "users": ref("user dora"), "user_tags": ref("tag vip"),
	}
	picture := base64.StdEncoding.EncodeToString(market.PNG(w.T))
	config := map[string]any{"data": map[string]any{"tags": "[" + w.Value("tag vip") + "]", "from": "2019-01-01", "to": "2019-01-02"}}
	part := map[string]string{"id": "advertiser acme", "offerId": "offer run", "userId": "user anna"}
	return map[string]contract.Replay{
		"clients-list":       {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"query": "north", "group": w.ID["group sv_SE"]}},
		"offers-list":        {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"name": "internal v1"}},
		"offer-create":       {Who: "advertiser", Path: acme, Status: 200, Body: fields},
		"offer-get":          {Who: "advertiser", Path: at("offer", "offer v1"), Status: 200},
		"offer-update":       {Who: "advertiser", Path: at("offer", "offer v1"), Status: 200, Body: fields},
		"offer-delete":       {Who: "advertiser", Path: at("offer", "offer v1"), Status: 200},
		"offer-users-list":   {Who: "advertiser", Path: at("offerId", "offer run"), Status: 200},
		"offer-user-accept":  {Who: "advertiser", Path: part, Status: 200},
		"offer-user-deny":    {Who: "advertiser", Path: part, Status: 200},
		"user-offer-add":     {Who: "advertiser", Path: at("userId", "user anna"), Status: 200, Body: map[string]any{"cpa": "0.5"}, Answer: `{"id":1,"name":"","cpc":1,"instagram_cpc":1,"cpa":0.5,"priority":100,"clients":[],"active":1}`},
		"offer-image-upload": {Who: "advertiser", Path: at("offerId", "offer summer"), Status: 200, Body: map[string]any{"img_src": picture}, Answer: `{"id":1,"name":"","img_src":""}`},
		"store-get":          {Who: "advertiser", Path: acme, Status: 200},
		"store-update":       {Who: "advertiser", Path: acme, Status: 200, Body: map[string]any{"revenue_cpa": "0.1", "revenue_instagram_cpa": 1, "hidden": 0, "categories": []any{w.ID["category Food"]}}},
		"store-logo-upload":  {Who: "advertiser", Path: acme, Status: 200, Body: map[string]any{"logo": picture}, Answer: `{"id":1,"feed_name":"","logo_url":"","urls":[{"id":1,"end_host":""}]}`},
		"user-tags-list":     {Who: "advertiser", Path: acme, Status: 200},
		"user-tags-add": {Who: "advertiser", Path: at("userId", "user anna"), Status: 200, Body: map[string]any{"tags": "[{'id':" + w.Value("tag vip") + ",'name':'vip'}, {'name':'Brand New'}]"},
			Answer: `[{"id":1,"name":"","slug":"","created_at":"","updated_at":"","access_level":2,"store_id":1,"offers":[{"id":1}]},{"id":1,"offers":[]}]`},
		"orders-list":               {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"user_id": w.ID["user anna"]}, Answer: `{"current_page":1,"data":[{"id":1,"user_id":1,"username":"","order_id":"","order_at":"","order_value":1.5,"currency":"","voucher_code":"","status":"","updated_at":""}],"per_page":15,"total":1}`},
		"user-dashboard-get":        {Who: "advertiser", Path: at("userid", "user anna"), Status: 200, Answer: `{"id":1,"username":"","email":"","last_active":"","user_tags":[{"id":1,"pivot":{"user_id":1,"user_tag_id":1}}],"can_edit":true,"is_verified":true,"social_media":[{"id":1,"user_id":1,"type":""}],"one_time_earnings":[{"id":1,"user_id":1,"store_id":1,"user_earnings":500,"payment_date":"","created_at":"","updated_at":"","comment":""}]}`},
		"user-voucher-codes-list":   {Who: "advertiser", Path: at("user", "user anna"), Status: 200},
		"user-voucher-code-create":  {Who: "advertiser", Path: at("user", "user anna"), Status: 200},
		"user-voucher-code-delete":  {Who: "advertiser", Path: map[string]string{"id": "advertiser acme", "user": "user anna", "voucher_code": "voucher anna"}, Status: 200},
		"user-one-time-payment-add": {Who: "advertiser", Path: at("userId", "user anna"), Status: 200},
		"clicks-per-day": {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"from": "2026-03-18", "to": "2026-03-18", "users": w.Value("user anna")},
			Answer: `{"clicks":1,"order_value":1,"order_value_formatted":"","cost":1,"cost_formatted":"","unique_users":1,"unique_links":1,"nr_orders":1,"per_day":{"2026-03-18":{"date":"","clicks":"","cost":"","cost_formatted":"","order_value":"","order_value_formatted":"","nr_orders":""}}}`},
		"general-stats": {Who: "advertiser", Path: acme, Status: 200,
			Answer: `{"clicks":1,"unique_users":1,"tags":1,"invoice_cpc":1,"avrage_cpc":1.5,"currency":{"code":"","name":"","symbol":"","subunit":"","is_before":0,"ratio_to_eur":0.5},"invoice_cpc_formated":"","avrage_cpc_formated":""}`},
		"orders-per-date": {Who: "advertiser", Path: acme, Status: 200, Answer: `{"2026-03-18":{"date":"","nr_orders":1,"order_value":1}}`},
		"user-stats":      {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"from": nil, "to": nil, "orderBy": "clicks", "orderByOrder": "desc", "page": nil, "q": nil}},
		"link-stats": {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"from": nil, "to": nil, "orderBy[]": "nr_orders", "orderByOrder[]": "desc", "users": w.Value("user anna")},
			Answer: `[{"username":"","user_id":1,"tag_id":1,"link":"","text":"","instagram":"","blog":"","clicks":1,"invoice_cpc":"","average_cpc":"","nr_orders":1,"order_value":1,"order_value_formated":"","average_cpc_formated":"","invoice_cpc_formated":""}]`},
		"user-tag-stats": {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"tags": "[" + w.Value("tag vip") + "]", "from": "2026-03-18", "to": "2026-03-18"},
			Answer: `{"order_value":{"2026-03-18":{"vip":""}},"clicks":{"2026-03-18":{"vip":""}}}`},
		"stats-configs-list":  {Who: "advertiser", Path: acme, Status: 200, Answer: `[{"id":1,"store_id":1,"name":"","data":{"tags":[1],"types":[1,2]},"default":1,"created_at":"","updated_at":""}]`},
		"stats-config-create": {Who: "advertiser", Path: acme, Status: 200, Body: config},
		"stats-config-update": {Who: "advertiser", Path: at("stats_config", "config acme"), Status: 200, Body: config},
		"stats-config-delete": {Who: "advertiser", Path: at("stats_config", "config acme"), Status: 200, Answer: `{"id":1,"store_id":1,"name":"","data":{"tags":[1],"types":[1,2]},"default":1,"created_at":"","updated_at":""}`},
		"store-register": {Who: "nobody", Status: 200, Body: map[string]any{
			"user":       map[string]any{"username": "odio", "email": "new@shops.example", "password": "correct horse", "password_confirmation": "correct horse"},
			"categories": []any{w.ID["category Food"]}, "domains": `["dev.test-test.com"]`,
		}},
		"store-media-list": {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"type": "instagram", "identifier": "anna", "order_by": "clicks"},
			Answer: `{"current_page":1,"data":[{"id":1,"username":"","url":"","type":"","created_at":"","clicks":"","nr_orders":1,"order_value":1,"cost":1}],"from":1,"last_page":1,"per_page":8,"to":1,"total":1}`},
		"store-media-object-get": {Who: "advertiser", Path: map[string]string{"id": "advertiser acme", "username": "media user", "image": "media file"}, Status: 200, File: "\x89PNG"},
		"users-list":             {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"q": "anna", "status": "accepted"}},
		"user-create":            {Who: "advertiser", Path: acme, Status: 200, Answer: `{"id":1,"username":"","email":"","config":"","social_media":[{"id":1,"type":"","identifier":"","is_valid":1}],"client":{"id":1,"client_id":"","config":""},"is_verified":false}`},
		"user-get":               {Who: "advertiser", Path: at("user", "user anna"), Status: 200},
		"user-update":            {Who: "advertiser", Path: at("user", "user anna"), Status: 200},
		"user-status-update":     {Who: "advertiser", Path: at("user", "user anna"), Status: 200, Body: map[string]any{"status": "accepted"}},
		"users-emails-search":    {Who: "advertiser", Path: acme, Status: 200, Query: map[string]any{"q": "ANN"}, Answer: `[{"email":"","id":1}]`},
	}
}
