package metapic_test

import (
	"slices"
	"strings"
)

// withSession adds the column of the session to rows without one: it gets what
// principals of other dialects get.
func withSession(rows []row) []row {
	rows = slices.Clone(rows)
	for i, r := range rows {
		fields := strings.Fields(r.Statuses)
		rows[i].Statuses += " " + fields[len(fields)-1]
	}
	return rows
}

// The last column is a session of the OpenID provider that is nobody here yet.
const (
	anybody     = "401 200 200 200 200 200 200 200 200 200 200 200 200 200"
	sessionOnly = "401 403 403 403 403 403 403 403 403 403 403 403 403 200"
	serviceOnly = "401 403 403 403 403 403 403 403 403 403 403 403 200 403"
)

var peopleTenancy = []row{
	{"advertiser-email-quota-get", "GET", "/v2/advertisers/{advertiser acme}/email-quota", "", acmeOnly + " 403"},
	{"advertiser-email-quota-get", "GET", "/v2/advertisers/999999/email-quota", "", noStore + " 403"},
	{"advertiser-representative-create", "POST", "/v2/advertiser-representatives", `{"name":"New","domains":["new.example"],"country":"SE","currency":"SEK"}`, created(sessionOnly)},
	{"advertiser-invites-accept", "PATCH", "/v2/me/advertiser-invites", "", sessionOnly},
	{"agency-invites-accept", "PATCH", "/v2/me/agency-invites", "", sessionOnly},
	{"advertiser-invites-accept", "PATCH", "/v2/me/advertiser-invites", `{"secret":"of nobody"}`, strings.ReplaceAll(sessionOnly, "200", "404")},
	{"user-media-list", "GET", "/v2/user-media", "", networks + " 403"},
	{"user-stores-by-categories", "GET", "/v2/users/{user anna}/stores-by-categories", "", annaOnly + " 403"},
	{"user-stores-by-categories", "GET", "/v2/users/{user dora}/stores-by-categories", "", doraOnly + " 403"},
	{"user-stores-by-categories", "GET", "/v2/users/999999/stores-by-categories", "", noUser + " 403"},
	{"user-stores-by-toplist", "GET", "/v2/users/{user bo}/stores-by-toplist", "", boOnly + " 403"},
	{"user-stores-by-toplist", "GET", "/v2/users/999999/stores-by-toplist", "", noUser + " 403"},
	{"entrypoint-get", "GET", "/v2/entrypoint?app=admin", "", anybody},
	{"entrypoint-get", "GET", "/v2/entrypoint?store_id={advertiser acme}", "", "401 200 200 404 404 200 404 200 200 404 404 404 404 404"},
	{"entrypoint-get", "GET", "/v2/entrypoint?store_id={advertiser hidden}", "", "401 200 404 404 404 404 404 404 404 404 404 404 404 404"},
	{"entrypoint-get", "GET", "/v2/entrypoint?store_id=999999", "", "401 404 404 404 404 404 404 404 404 404 404 404 404 404"},
	{"notifications-proxy", "GET", "/v2/notifications-proxy/messages", "", anybody},
	{"ory-identity-created", "POST", "/v2/webhooks/ory/identities/created", `{"identity":{"id":"new","traits":{"email":"new@example.com"}}}`, emptied(serviceOnly)},
	{"ory-identity-updated", "POST", "/v2/webhooks/ory/identities/updated", `{"identity":{"id":"new","traits":{"email":"new@example.com"}}}`, emptied(serviceOnly)},
	{"image-upload", "POST", "/v2/image-uploads", `{"image":"iVBORw0KGgo="}`, created(anybody)},
	{"user-create", "POST", "/v2/users", `{"client_id":"public-north"}`, created(sessionOnly)},
	{"user-identity-update", "PUT", "/v2/users/{user anna}/identity", `{"phone":"+46 1"}`, "401 200 403 403 403 200 404 403 403 403 403 403 403 403"},
	{"user-identity-update", "PUT", "/v2/users/999999/identity", `{"phone":"+46 1"}`, "401 404 403 403 403 404 404 403 403 403 403 403 403 403"},
}

// morePeople are those that only the domains know to be bad.
var morePeople = []badCase{
	{"user-create: nothing right", "session", "POST", "/v2/users", `{"social_media":[{"type":"","identifier":"@"},{}],"utm":{"source":"` + strings.Repeat("u", 256) + `"},"client_id":"nobody's","preferred_locale":"` + strings.Repeat("l", 36) + `"}`, ""},
	{"user-create: too many accounts", "session", "POST", "/v2/users", `{"social_media":[{"type":"x","identifier":"x"}` + strings.Repeat(`,{"type":"x","identifier":"x"}`, 50) + `]}`, ""},
	{"advertiser-representative-create: nothing right", "session", "POST", "/v2/advertiser-representatives", `{"name":"","domains":["com"],"country":"Sweden","currency":"SEKK","categories":[-1]}`, ""},
	{"user-identity-update: another's address", "creator", "PUT", "/v2/users/{user anna}/identity", `{"email":"BO@creators.example"}`, ""},
	{"user-identity-update: no address", "creator", "PUT", "/v2/users/{user anna}/identity", `{"email":""}`, ""},
	{"ory-identity-created: no id", "service", "POST", "/v2/webhooks/ory/identities/created", `{"identity":{"traits":{"email":"x@example.com"}}}`, ""},
	{"ory-identity-updated: no address", "service", "POST", "/v2/webhooks/ory/identities/updated", `{"identity":{"id":"x","traits":{"email":"nobody"}}}`, ""},
	{"image-upload: no image", "creator", "POST", "/v2/image-uploads", `{"image":"similique"}`, ""},
	{"image-upload: an SVG", "creator", "POST", "/v2/image-uploads", `{"image":"PHN2Zz48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+PC9zdmc+"}`, ""},
	{"return-ad-create: an unknown image", "advertiser", "POST", "/v2/return-ads", `{"name":"x","advertiser_id":‹advertiser acme›,"return_link":"https://acme.example/","image_key":"dG1wL25vYm9keS5wbmc="}`, ""},
	{"notifications-proxy: out of the base", "creator", "GET", "/v2/notifications-proxy/%2e%2e/admin", "", ""},
	{"notifications-proxy: out of the base with a backslash", "creator", "GET", "/v2/notifications-proxy/a%5c..%5cadmin", "", ""},
}
