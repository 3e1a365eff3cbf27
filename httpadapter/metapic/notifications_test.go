package metapic_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
	"github.com/affiliatekit/affiliatekit/httpadapter/metapic"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// proxied is a handler whose notification service is the given one.
func proxied(t *testing.T, w *market.World, service http.HandlerFunc) http.Handler {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return w.Adapter(httpadapter.Options{NotificationsURL: server.URL + "/base/", NotificationsTransport: server.Client().Transport})
}

func TestTheProxyForwardsWithoutOurCredentials(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	var seen *http.Request
	var body string
	h := proxied(t, w, func(rw http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen, body = r, string(b)
		rw.Header().Set("X-Answer", "yes")
		rw.Header().Set("Set-Cookie", "theirs=1")
		rw.Header().Set("Connection", "X-Hop")
		rw.Header().Set("X-Hop", "gone")
		rw.WriteHeader(http.StatusTeapot)
		_, _ = rw.Write([]byte("tea"))
	})
	got := w.SendTo(h, "creator", "POST", "/v2/notifications-proxy/a%2Fb/c%20d?x=1&x=2", "hello",
		"Cookie", "ours=1", "Mtpc-Api-Key", "key", "Connection", "X-Private", "X-Private", "1", "X-Public", "2", "Te", "trailers", "Content-Type", "text/plain")
	is.Equal(got.Code, http.StatusTeapot)
	is.Equal(got.Body.String(), "tea")
	is.Equal(got.Header().Get("X-Answer"), "yes")
	is.Equal(got.Header().Get("Set-Cookie"), "")
	is.Equal(got.Header().Get("X-Hop"), "")
	is.Equal(seen.Method, "POST")
	is.Equal(seen.URL.EscapedPath(), "/base/a%2Fb/c%20d")
	is.Equal(seen.URL.RawQuery, "x=1&x=2")
	is.Equal(seen.Header.Get("X-Public"), "2")
	is.Equal(body, "hello")
	for _, name := range []string{"Authorization", "Cookie", "Mtpc-Api-Key", "X-Private", "X-Forwarded-For"} {
		is.Equal(seen.Header.Get(name), "") // name
	}
	for _, path := range []string{"/v2/notifications-proxy", "/v2/notifications-proxy/"} {
		is.Equal(w.SendTo(h, "creator", "OPTIONS", path, "").Code, http.StatusTeapot)
	}
}

func TestTheProxyReachesItsHostAlone(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	asked := 0
	h := proxied(t, w, func(_ http.ResponseWriter, r *http.Request) {
		asked++
		if !strings.HasPrefix(r.URL.Path, "/base/") {
			t.Errorf("asked for %s", r.URL)
		}
	})
	for _, path := range []string{"/%2e%2e/x", "/a/%2e%2e/%2e%2e/%2e%2e/x", "/..%2fx", "/%5c..%5cx", "/.", "/a/%2E"} {
		is.Equal(w.SendTo(h, "creator", "GET", "/v2/notifications-proxy"+path, "").Code, 404) // path
	}
	is.Equal(asked, 0)
	for _, path := range []string{"/http://evil.example/", "/@evil.example", "/x?url=http://evil.example"} {
		w.SendTo(h, "creator", "GET", "/v2/notifications-proxy"+path, "")
	}
}

func TestTheProxyIsBounded(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	h := proxied(t, w, func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/base/large" {
			_, _ = io.Copy(rw, io.LimitReader(zeros{}, 11<<20))
		}
	})
	got := w.SendTo(h, "creator", "POST", "/v2/notifications-proxy/x", strings.Repeat("x", 1<<20+1))
	is.Equal(got.Code, 413)
	server := httptest.NewServer(h)
	defer server.Close()
	large, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/v2/notifications-proxy/large", nil)
	is.NoErr(err)
	large.Header.Set("Authorization", market.Token("creator"))
	response, err := server.Client().Do(large)
	is.NoErr(err)
	_, err = io.Copy(io.Discard, response.Body)
	is.True(err != nil) // the client sees a broken answer
	is.NoErr(response.Body.Close())
	unreachable := w.Adapter(httpadapter.Options{NotificationsURL: "http://127.0.0.1:1"})
	got = w.SendTo(unreachable, "creator", "GET", "/v2/notifications-proxy/x", "")
	is.Equal(got.Code, 502)
	is.True(!strings.Contains(got.Body.String(), "127.0.0.1"))

	request := httptest.NewRequest("GET", "/v2/notifications-proxy/x", nil)
	request.Header.Set("Authorization", market.Token("creator"))
	late, cancel := context.WithTimeout(request.Context(), 0)
	defer cancel()
	answer := httptest.NewRecorder()
	w.Adapter(httpadapter.Options{Authenticator: w.Identities(), NotificationsURL: "http://127.0.0.1:1"}).ServeHTTP(answer, request.WithContext(late))
	is.Equal(answer.Code, 504)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestTheProxyIsOffUnlessConfigured(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory())
	off := market.Must(metapic.New(dialect(w), metapic.Options{Authenticator: w.Identities()}))(t)
	got := w.SendTo(off, "creator", "GET", "/v2/notifications-proxy/x", "")
	is.Equal(got.Code, 503)
	is.True(strings.Contains(got.Body.String(), `"not_configured"`))
	for _, bad := range []string{"notifications.example", "ftp://x.example", "https://user:pw@x.example", "https://x.example?q=1", "https://x.example#f", "http://"} {
		_, err := metapic.New(dialect(w), metapic.Options{NotificationsURL: bad})
		is.True(err != nil) // bad
	}
}
