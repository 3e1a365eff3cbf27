package laravel

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// people knows principals by their names.
type people map[string]affiliate.Principal

func (p people) Authenticate(r *http.Request) (affiliate.Principal, error) {
	return p[r.Header.Get("Authorization")], nil
}

var everyRole = people{
	"admin":   {Role: affiliate.RoleAdmin, Subject: "1"},
	"acme":    {Role: affiliate.RoleRepresentative, Subject: "2", AdvertiserIDs: []int64{7}},
	"agency":  {Role: affiliate.RoleAgency, Subject: "3", AdvertiserIDs: []int64{7, 8}},
	"creator": {Role: affiliate.RoleCreator, Subject: "4", UserID: 17},
	"client":  {Role: affiliate.RoleClient, Subject: "5", ClientID: 3},
	"nobody":  {Role: affiliate.RoleClient, Subject: "6"},
	"partner": {Role: affiliate.RolePartner, Subject: "7"},
}

func TestScopesOfPaths(t *testing.T) {
	type none struct{}
	run := func(context.Context, affiliate.Principal, struct {
		URL wire.URL
	}) (none, error) {
		return none{}, nil
	}
	mux, err := wire.NewMux(wire.Dialect{Errors: Errors{}}, wire.Options{Authenticator: everyRole}, []wire.Route{
		{Pattern: "GET /adv/{advertiser_id}", ID: "adv", Scope: Advertiser("advertiser_id"), Op: wire.Call(run)},
		{Pattern: "GET /self/{user_id}", ID: "self", Scope: UserSelf("user_id"), Op: wire.Call(run)},
		{Pattern: "GET /user/{user_id}", ID: "user", Scope: User("user_id"), Op: wire.Call(run)},
		{Pattern: "GET /tenants", ID: "tenants", Scope: Tenants, Op: wire.Call(run)},
		{Pattern: "GET /networks", ID: "networks", Scope: Networks, Op: wire.Call(run)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for target, statuses := range map[string]map[string]int{
		"/adv/7":                   {"": 401, "admin": 200, "acme": 200, "agency": 200, "creator": 403, "client": 403, "partner": 403},
		"/adv/8":                   {"admin": 200, "acme": 404, "agency": 200, "creator": 403},
		"/adv/abc":                 {"admin": 404, "acme": 404, "creator": 403},
		"/adv/07":                  {"admin": 404, "acme": 404},
		"/adv/-7":                  {"admin": 404, "acme": 404},
		"/adv/9223372036854775808": {"admin": 404, "acme": 404},
		"/self/17":                 {"": 401, "creator": 200, "admin": 403, "acme": 403, "client": 403},
		"/self/18":                 {"creator": 404, "admin": 403},
		"/user/17":                 {"creator": 200, "admin": 200, "client": 200, "acme": 403, "agency": 403, "partner": 403},
		"/user/18":                 {"creator": 404, "admin": 200, "client": 200},
		"/user/x":                  {"creator": 404, "admin": 404, "client": 404, "acme": 403},
		"/tenants":                 {"": 401, "admin": 200, "creator": 200, "client": 200, "nobody": 403, "partner": 403},
		"/networks":                {"": 401, "admin": 200, "client": 200, "nobody": 403, "acme": 403},
	} {
		for who, status := range statuses {
			r := httptest.NewRequest("GET", target, nil)
			r.Header.Set("Authorization", who)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			if w.Code != status {
				t.Errorf("%s as %q: got %d %s, want %d", target, who, w.Code, w.Body, status)
			}
		}
	}
}
