package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

func TestWithoutDemoTheLineHasNoTokens(t *testing.T) {
	is := is.New(t)
	p := spawn(t)
	is.Equal(p.Tokens, map[string]string{})
	is.Equal(p.IDs, map[string]map[string]int64{})
	host, port, err := net.SplitHostPort(p.Listening)
	is.NoErr(err)
	is.Equal(host, "127.0.0.1")
	is.True(port != "0")
	is.NoErr(p.cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(p.out)
	is.NoErr(err)
	is.Equal(string(rest), "") // one line, whatever else happened
	is.NoErr(p.cmd.Wait())
}

func TestOwnPathsAnswerAndOthersAreTheDialects(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		s := start(t, flags...)
		open := s.as("")
		is.Equal(string(open.call(t, http.MethodGet, "/healthz", nil, http.StatusOK, nil).body), "{\"status\":\"ok\"}\n")
		is.Equal(string(open.call(t, http.MethodGet, "/readyz", nil, http.StatusOK, nil).body), "{\"status\":\"ok\"}\n")
		open.call(t, http.MethodPost, "/healthz", nil, http.StatusMethodNotAllowed, nil)
		open.call(t, http.MethodGet, "/v2/health", nil, http.StatusOK, nil)
		open.call(t, http.MethodGet, "/openapi.json", nil, http.StatusOK, nil)
		open.call(t, http.MethodGet, "/docs", nil, http.StatusOK, nil)
		for _, path := range []string{"//", "//healthz", "/consoles", "/healthz/", "/metrics/x"} {
			var problem struct{ Code string }
			open.call(t, http.MethodGet, path, nil, http.StatusNotFound, &problem)
			is.Equal(problem.Code, "not_found")
		}
	})
}

func TestTheConsoleIsOpenInTheDemoAndAsksForATokenOtherwise(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		demo := start(t, append(flags, "-demo")...)
		page := string(demo.as("").call(t, http.MethodGet, "/", nil, http.StatusOK, nil).body)
		is.True(strings.Contains(page, "Paid orders per day"))
		demo.as("").call(t, http.MethodGet, "/console/campaigns", nil, http.StatusOK, nil)
		demo.as("").call(t, http.MethodPost, "/", nil, http.StatusMethodNotAllowed, nil)
		is.NoErr(demo.stop())
		c, err := parseFlags(append(flags, "-addr", "127.0.0.1:0"), func(string) string { return "a-token-of-the-operator" }, io.Discard)
		is.NoErr(err)
		s := startConfig(t, c)
		s.as("").call(t, http.MethodGet, "/", nil, http.StatusUnauthorized, nil)
		s.Tokens["admin"] = "a-token-of-the-operator"
		s.as("admin").call(t, http.MethodGet, "/", nil, http.StatusOK, nil)
	})
}

func TestTheFirstLineIsForPeopleAndTheLineOfJSONForPrograms(t *testing.T) {
	is := is.New(t)
	p := spawn(t, "-demo")
	is.NoErr(p.cmd.Process.Signal(syscall.SIGINT)) // Ctrl-C
	is.NoErr(p.cmd.Wait())                         // status 0
	said, _, _ := strings.Cut(p.log.String(), "\n")
	is.True(strings.HasPrefix(said, "The console is at http://"+p.Listening+"/ "))
	is.True(strings.Contains(p.log.String(), "curl -H 'Authorization: Bearer demo-creator-token-0001'"))
}

func TestAdminTokenComesFromTheEnvironment(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		const token = "a-token-of-the-operator"
		c, err := parseFlags(append(flags, "-addr", "127.0.0.1:0"), func(string) string { return token }, io.Discard)
		is.NoErr(err)
		for range 2 { // the second start finds it in the database
			s := startConfig(t, c)
			s.Tokens["admin"] = token
			s.as("admin").call(t, http.MethodGet, "/v2/users", nil, http.StatusOK, nil)
			is.NoErr(s.stop())
		}
	})
}

func TestAdminTokenOfSomebodyElseIsRefused(t *testing.T) {
	is := is.New(t)
	c, err := parseFlags([]string{"-demo", "-addr", "127.0.0.1:0"}, func(string) string { return "demo-service-token-0001" }, io.Discard)
	is.NoErr(err)
	is.True(run(t.Context(), c, io.Discard, discardLog()) != nil)
}

func TestPortInUseEndsTheStart(t *testing.T) {
	is := is.New(t)
	taken := start(t)
	c, err := parseFlags([]string{"-addr", taken.Listening}, noVariables, io.Discard)
	is.NoErr(err)
	is.True(errors.Is(run(t.Context(), c, io.Discard, discardLog()), syscall.EADDRINUSE))
}

func TestRateLimitIsTheFlags(t *testing.T) {
	is := is.New(t)
	s := start(t, "-demo", "-rate", "2")
	for range 2 {
		s.as("creator").call(t, http.MethodGet, "/v2/store-categories", nil, http.StatusOK, nil)
	}
	s.as("creator").call(t, http.MethodGet, "/v2/store-categories", nil, http.StatusTooManyRequests, nil)
	unlimited := start(t, "-demo", "-rate", "0")
	for range 310 {
		unlimited.as("creator").call(t, http.MethodGet, "/v2/store-categories", nil, http.StatusOK, nil)
	}
	is.Equal(unlimited.metric(t, `affiliatekit_http_requests_total{operation="store-categories-list",status="200"}`), 310.0)
}

func TestLinksBeginWithThePublicURL(t *testing.T) {
	is := is.New(t)
	var made struct {
		Short string `json:"mtpc_url"`
		ID    int64
	}
	convert := func(s running) string {
		path := fmt.Sprintf("/v3/users/%d/affiliate-links", s.IDs["users"]["anna"])
		s.as("creator").call(t, http.MethodPost, path, map[string]any{"url": "https://acme.example/"}, http.StatusCreated, &made)
		return made.Short
	}
	s := start(t, "-demo")
	is.Equal(convert(s), fmt.Sprintf("http://%s/c/%d", s.Listening, made.ID))
	is.Equal(convert(start(t, "-demo", "-public-url", "https://go.example/x")), fmt.Sprintf("https://go.example/x/c/%d", made.ID))
}

func TestUnreadyWhileStoppingOrWithoutBackend(t *testing.T) {
	is := is.New(t)
	ready := func(h *health) int {
		w := httptest.NewRecorder()
		h.ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return w.Code
	}
	healthy, err := affiliate.NewService(memory.New().Core(), affiliate.Options{})
	is.NoErr(err)
	h := newHealth(healthy)
	is.Equal(ready(h), http.StatusOK)
	h.stopping()
	is.Equal(ready(h), http.StatusServiceUnavailable)

	broken, err := affiliate.NewService(brokenStore{}, affiliate.Options{})
	is.NoErr(err)
	is.Equal(ready(newHealth(broken)), http.StatusServiceUnavailable)
}

func TestUnreadyWhileNothingCanBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		disk := &fullDisk{Store: memory.New().Core()}
		core, err := affiliate.NewService(disk, affiliate.Options{})
		is.NoErr(err)
		h := newHealth(core)
		ready := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			return w
		}
		for range 100 {
			is.Equal(ready().Code, http.StatusOK)
		}
		is.Equal(disk.writes, 1) // however often somebody asks
		disk.full = true
		time.Sleep(readyFor)
		w := ready()
		is.Equal(w.Code, http.StatusServiceUnavailable)
		is.Equal(w.Header().Get("Retry-After"), "5")
		disk.full = false
		time.Sleep(readyFor)
		is.Equal(ready().Code, http.StatusOK)
	})
}

// fullDisk still reads when it is full.
type fullDisk struct {
	affiliate.Store[affiliate.Tx]
	full   bool
	writes int
}

func (d *fullDisk) Write(ctx context.Context, fn func(context.Context, affiliate.Tx) error) error {
	d.writes++
	if d.full {
		return affiliate.Unavailable(errors.New("no space left on device"))
	}
	return d.Store.Write(ctx, fn)
}

func TestTheStopDoesNotWaitForABodyThatNeverComes(t *testing.T) {
	is := is.New(t)
	c, err := parseFlags([]string{"-demo", "-addr", "127.0.0.1:0"}, noVariables, io.Discard)
	is.NoErr(err)
	c.drain = 50 * time.Millisecond
	s := startConfig(t, c)
	half(t, s.listening)
	is.NoErr(s.stop())
}

func TestARequestIsRefusedAtItsTimeout(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.DSN(t)
	s := start(t, "-demo", "-dsn", dsn, "-request-timeout", "300ms")
	db, err := sql.Open("pgx", dsn)
	is.NoErr(err)
	defer func() { is.NoErr(db.Close()) }()
	holder, err := db.BeginTx(t.Context(), nil)
	is.NoErr(err)
	_, err = holder.ExecContext(t.Context(), `LOCK TABLE affiliate_offers, affiliate_links`)
	is.NoErr(err)
	var wg sync.WaitGroup
	for range 20 { // more than the pool has connections
		wg.Go(func() { s.as("admin").call(t, http.MethodGet, "/v2/offers", nil, http.StatusServiceUnavailable, nil) })
		wg.Go(func() { s.as("").call(t, http.MethodGet, "/c/1", nil, http.StatusServiceUnavailable, nil) })
	}
	wg.Wait()
	s.as("admin").call(t, http.MethodGet, "/v2/store-categories", nil, http.StatusOK, nil)
	is.NoErr(holder.Rollback())
	s.as("admin").call(t, http.MethodGet, "/v2/offers", nil, http.StatusOK, nil)
}

func TestReadinessDoesNotWaitForABackendThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		hanging, err := affiliate.NewService(hangingStore{}, affiliate.Options{})
		is.NoErr(err)
		w := httptest.NewRecorder()
		newHealth(hanging).ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		is.Equal(w.Code, http.StatusServiceUnavailable)
	})
}

// brokenStore is a database that is gone.
type brokenStore struct{ affiliate.Store[affiliate.Tx] }

func (brokenStore) Write(context.Context, func(context.Context, affiliate.Tx) error) error {
	return affiliate.Unavailable(errors.New("connection refused"))
}

// hangingStore is a database that does not answer.
type hangingStore struct{ affiliate.Store[affiliate.Tx] }

func (hangingStore) Write(ctx context.Context, _ func(context.Context, affiliate.Tx) error) error {
	<-ctx.Done()
	return affiliate.Unavailable(ctx.Err())
}

func TestSIGTERMKeepsQueuedClicksAndExitsZero(t *testing.T) {
	is := is.New(t)
	dsn := pgtest.DSN(t)
	p := spawn(t, "-demo", "-dsn", dsn, "-clicks", "async", "-rate", "0")
	made := p.convert(t, "creator", "anna", "https://acme.example/", http.StatusCreated)
	open := p.as("")
	const clicks = 500
	for i := range clicks {
		_, err := open.click(t.Context(), made.ID, fmt.Sprint(i))
		is.NoErr(err)
	}
	is.NoErr(p.cmd.Process.Signal(syscall.SIGTERM))
	is.NoErr(p.cmd.Wait()) // exit status 0
	page, err := openLinks(t, dsn).Clicks(t.Context(), links.ClickFilter{Verdict: links.VerdictValid}, affiliate.PageRequest{Number: 1, Size: 1})
	is.NoErr(err)
	is.Equal(page.Total, clicks)
}

func TestSIGTERMAnswersWhatIsUnderWay(t *testing.T) {
	is := is.New(t)
	p := spawn(t, "-demo")
	conn := half(t, p.listening)
	is.NoErr(p.cmd.Process.Signal(syscall.SIGTERM))
	untilRefused(t, p.Listening)
	_, err := io.WriteString(conn, `"url":"https://acme.example/"}`)
	is.NoErr(err)
	got, err := io.ReadAll(conn)
	is.NoErr(err)
	is.True(strings.HasPrefix(string(got), "HTTP/1.1 201 Created\r\n"))
	is.NoErr(p.cmd.Wait())
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	is := is.New(t)
	p := spawn(t, "-demo")
	half(t, p.listening) // a request that never ends
	is.NoErr(p.cmd.Process.Signal(syscall.SIGTERM))
	untilRefused(t, p.Listening)
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	for {
		// The first one may still be on its way out of the process's hands.
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			is.True(err != nil) // not the end of a graceful stop
			status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
			is.True(ok && status.Signaled() && status.Signal() == syscall.SIGTERM)
			return
		case <-tick(t):
		}
	}
}

func TestSIGTERMWhileStartingExitsZero(t *testing.T) {
	is := is.New(t)
	database, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	is.NoErr(err)
	defer func() { is.NoErr(database.Close()) }()
	p := launch(t, "-dsn", "postgres://"+database.Addr().String()+"/?sslmode=disable")
	conn, err := database.Accept() // and never answer: the migrations wait
	is.NoErr(err)
	defer func() { is.NoErr(conn.Close()) }()
	is.NoErr(p.cmd.Process.Signal(syscall.SIGTERM))
	is.NoErr(p.cmd.Wait())
}

// half sends the first half of a conversion.
func half(t *testing.T, l listening) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Listening)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /v3/users/%d/affiliate-links HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: 31\r\nExpect: 100-continue\r\n\r\n", l.IDs["users"]["anna"], l.Tokens["creator"])
	if err != nil {
		t.Fatal(err)
	}
	// The server asks for the body only when it has begun to handle the request.
	const proceed = "HTTP/1.1 100 Continue\r\n\r\n"
	got := make([]byte, len(proceed))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != proceed {
		t.Fatalf("got %q, error %v", got, err)
	}
	if _, err := io.WriteString(conn, "{"); err != nil {
		t.Fatal(err)
	}
	return conn
}
