package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres/pgtest"
)

// asServer makes the test binary be the server, for tests that need a process.
const asServer = "AFFILIATEKIT_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(program(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// onEachBackend runs a test in memory and on a database of its own, with the
// flags that choose the backend.
func onEachBackend(t *testing.T, test func(t *testing.T, flags ...string)) {
	t.Run("memory", func(t *testing.T) { t.Parallel(); test(t) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, "-dsn", pgtest.DSN(t)) })
}

// running is a server that serves: its line, and how to stop it.
type running struct {
	listening
	stop func() error
}

// samples are what the sample data have earned and cost, by the server's address.
var samples sync.Map

// start runs a server inside the test, on a free port. It is stopped when the
// test ends, and must have ended well.
func start(t *testing.T, flags ...string) running {
	t.Helper()
	c, err := parseFlags(append([]string{"-addr", "127.0.0.1:0"}, flags...), func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return startConfig(t, c)
}

func startConfig(t *testing.T, c config) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, c, in, slog.New(slog.NewTextHandler(t.Output(), nil)))
		ended <- err
		in.CloseWithError(fmt.Errorf("the server ended: %w", err))
	}()
	r := running{listening: readLine(t, bufio.NewReader(out))}
	if c.demo {
		samples.Store(r.Listening, r.ledger(t))
	}
	stopped := false
	r.stop = func() error {
		cancel()
		stopped = true
		return <-ended
	}
	t.Cleanup(func() {
		if stopped {
			return
		}
		if err := r.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return r
}

func readLine(t *testing.T, out *bufio.Reader) (l listening) {
	t.Helper()
	line, err := out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("no line: %v", err)
	}
	if err := json.Unmarshal(line, &l); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return l
}

// process is a server in a process of its own.
type process struct {
	listening
	cmd *exec.Cmd
	log *bytes.Buffer // standard error; read it after the end
	out *bufio.Reader // standard output after the line
}

// spawn starts a server process. It is killed when the test ends.
func spawn(t *testing.T, flags ...string) *process {
	t.Helper()
	p := launch(t, flags...)
	p.listening = readLine(t, p.out)
	return p
}

func launch(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{log: new(bytes.Buffer)}
	p.cmd = exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, flags...)...)
	p.cmd.Env = append(os.Environ(), asServer+"=1", adminTokenVariable+"=")
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("log of the server:\n%s", p.log)
		}
	})
	return p
}

// api talks to a server as one of its principals.
type api struct {
	base, token string
	client      *http.Client
}

// as is the API with the token of a demo account.
func (l listening) as(account string) api {
	return api{base: "http://" + l.Listening, token: l.Tokens[account], client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
	}}
}

// reply is an answer, read to its end.
type reply struct {
	status   int
	location string
	body     []byte
}

func (a api) send(ctx context.Context, method, path string, body any, header ...string) (reply, error) {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, in)
	if err != nil {
		return reply{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := a.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header.Get("Location"), text}, err
}

// call sends a request and decodes the answer into out, which may be nil. It
// fails the test when the status is another one.
func (a api) call(t *testing.T, method, path string, body any, status int, out any) reply {
	t.Helper()
	got, err := a.send(t.Context(), method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != status {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, got.status, got.body, status)
	}
	if out != nil {
		if err := json.Unmarshal(got.body, out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, got.body, err)
		}
	}
	return got
}

// click follows a link as a reader with a browser of that name, and answers the
// id that the shop is told.
func (a api) click(ctx context.Context, linkID int64, reader string) (string, error) {
	got, err := a.send(ctx, http.MethodGet, "/c/"+strconv.FormatInt(linkID, 10), nil, "User-Agent", browser+reader)
	if err != nil {
		return "", err
	}
	_, id, ok := strings.Cut(got.location, "mtpc_cid=")
	if got.status != http.StatusFound || !ok {
		return "", fmt.Errorf("got %d to %q: %s", got.status, got.location, got.body)
	}
	return id, nil
}

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 "

// metric reads one series from /metrics, 0 when it is not there.
func (l listening) metric(t *testing.T, series string) float64 {
	t.Helper()
	text := l.as("").call(t, http.MethodGet, "/metrics", nil, http.StatusOK, nil).body
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		return 0
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// link is what the API answers for one.
type link struct {
	ID     int64  `json:"id"`
	URL    string `json:"url"`
	UserID int64  `json:"user_id"`
}

// convert makes a link for a demo user.
func (l listening) convert(t *testing.T, account, user, url string, status int) (out link) {
	t.Helper()
	l.as(account).call(t, http.MethodPost, fmt.Sprintf("/v3/users/%d/affiliate-links", l.IDs["users"][user]), map[string]any{"url": url}, status, &out)
	return out
}

// tick is a moment's wait between two looks at something that will happen.
func tick(t *testing.T) <-chan time.Time {
	t.Helper()
	if t.Context().Err() != nil {
		t.Fatal("waited in vain")
	}
	return time.After(5 * time.Millisecond)
}

// untilRefused waits until nobody listens on the address.
func untilRefused(t *testing.T, addr string) {
	t.Helper()
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
		<-tick(t)
	}
}

// openLinks is the service over a server's database, beside the server.
func openLinks(t *testing.T, dsn string) *links.Service {
	t.Helper()
	b, err := openBackend(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	s, err := links.NewService(b.Links(), links.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
