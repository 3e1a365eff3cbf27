package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

type route wire.Route

// everybodyIsAcme stands in for a token store.
type everybodyIsAcme struct{}

func (everybodyIsAcme) Authenticate(*http.Request) (affiliate.Principal, error) {
	return affiliate.Principal{Role: affiliate.RoleRepresentative, Subject: "2", AdvertiserIDs: []int64{7}}, nil
}

type addTags struct {
	AdvertiserID int64    `path:"advertiser_id"`
	Names        []string `json:"names" required:"true" min:"1" max:"3"`
	Level        int      `json:"level" enum:"0,1,2" default:"1"`
}

type tags struct {
	Data []string `json:"data"`
}

func addTagsTo(_ context.Context, p affiliate.Principal, in addTags) (tags, error) {
	return tags{Data: append(in.Names, fmt.Sprintf("advertiser %d, level %d, by %s", in.AdvertiserID, in.Level, p.Role))}, nil
}

func Example() {
	mux, err := wire.NewMux(
		wire.Dialect{Errors: laravel.Errors{}, Forms: true, Lenient: true},
		wire.Options{Authenticator: everybodyIsAcme{}},
		wire.Table([]route{
			{"POST /v2/advertisers/{advertiser_id}/tags", "tags-add", laravel.Advertiser("advertiser_id"), wire.Call(addTagsTo).Status(201)},
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	post := func(target, body string) {
		r := httptest.NewRequest("POST", target, strings.NewReader(body))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	post("/v2/advertisers/7/tags", `{"names": ["vip"]}`)
	post("/v2/advertisers/7/tags", `{"names": ["a", 5], "level": 9}`)
	post("/v2/advertisers/8/tags", `{"names": ["vip"]}`)
	// Output:
	// 201 {"data":["vip","advertiser 7, level 1, by representative"]}
	// 422 {"message":"The given data was invalid.","code":"validation_failed","errors":{"level":["must be one of 0, 1, 2"],"names.1":["must be a string"]}}
	// 404 {"message":"Not found.","code":"not_found"}
}
