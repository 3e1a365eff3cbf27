package httpadapter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// A host mounts the adapter beside its own routes, under a prefix.
func ExampleNew() {
	db := memory.New()
	core, err := affiliate.NewService(db.Core(), affiliate.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	clicks, err := links.NewService(db.Links(), links.Options{PublicURL: "https://shop.example/affiliates"})
	if err != nil {
		fmt.Println(err)
		return
	}
	people, err := identity.NewService(core, db.Identity(), identity.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := httpadapter.New(
		httpadapter.Services{Core: core, Links: clicks},
		httpadapter.Options{Authenticator: httpadapter.TokenAuthenticator(people)},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/affiliates/", http.StripPrefix("/affiliates", handler))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the host's own page") })

	for _, path := range []string{"/", "/affiliates/v2/health", "/affiliates/v2/stores"} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		fmt.Println(answer.Code, answer.Body)
	}
	// Output:
	// 200 the host's own page
	// 200 {"status":"up"}
	// 401 {"message":"Unauthenticated.","code":"unauthenticated"}
}
