package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

const testSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func TestTheServerSendsItsEventsToTheEndpointOfItsFlags(t *testing.T) {
	is := is.New(t)
	kinds := make(chan string, 1000)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = webhooks.Verify([]string{testSecret}, r.Header, body, time.Now())
		}
		var m struct{ Type string }
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			t.Error(err)
		}
		kinds <- m.Type
	}))
	defer receiver.Close()
	s := start(t, "-demo", "-webhook-url", receiver.URL, "-webhook-secret", testSecret, "-webhook-allow-private")
	seen := map[string]bool{}
	for !seen["order.added"] || !seen["webhook_endpoint.created"] {
		select {
		case kind := <-kinds:
			seen[kind] = true
		case <-time.After(30 * time.Second):
			t.Fatalf("got the kinds %v only", seen)
		}
	}
	is.NoErr(s.stop())
}

func TestBadFlagsOfWebhooksAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-webhook-url", "https://a.example/"},
		{"-webhook-secret", testSecret},
	} {
		if _, err := parseFlags(args, func(string) string { return "" }, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	is := is.New(t)
	c, err := parseFlags([]string{"-webhook-url", "https://a.example/"}, func(name string) string {
		if name == webhookSecretVariable {
			return testSecret
		}
		return ""
	}, io.Discard)
	is.NoErr(err)
	is.Equal(c.webhook.secret, testSecret)
	is.True(!c.webhook.options(nil, nil).AllowHTTP) // private addresses stay out of reach
	is.True(c.webhook.options(nil, nil).Allow == nil)
}
