package webhooks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/outbound"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// specialAddresses are of no endpoint.
var specialAddresses = []string{
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
	"192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
	"::", "::1", "fe80::1", "fe80::a9fe:a9fe%eth0", "fec0::1", "fec0::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1",
	"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", // IPv4 in IPv6
	"64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b::a00:1%eth0", "64:ff9b:1::a00:1", // NAT64
	"2002:a00:1::", "2001:0:a00:1::", // 6to4 and Teredo
}

func TestSpecialAddressesAreRefused(t *testing.T) {
	is := is.New(t)
	s, err := webhooks.NewService(backends.Memory().Webhooks, backends.Memory().Events, webhooks.Options{})
	is.NoErr(err)
	for _, text := range specialAddresses {
		a := netip.MustParseAddr(text)
		if outbound.Public(a) {
			t.Errorf("%s counts as public", a)
		}
		host := text
		if a.Is6() {
			host = "[" + strings.Replace(text, "%", "%25", 1) + "]"
		}
		if _, err := s.Create(t.Context(), webhooks.EndpointInput{URL: "https://" + host + "/"}); !errors.Is(err, affiliate.ErrInvalid) {
			t.Errorf("https://%s/: got %v, want ErrInvalid", host, err)
		}
	}
	for _, text := range []string{"93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "2a00:1450:400f:801::200e"} {
		if !outbound.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s does not count as public", text)
		}
	}
}

// Names are resolved when they are dialled, and what is dialled is checked: also
// other spellings of an address, which some systems resolve.
func TestNamesOfSpecialAddressesAreNotDialled(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory(), webhooks.Options{Allow: outbound.Public})
	_, port, _ := strings.Cut(strings.TrimPrefix(w.receiver.URL, "http://"), ":")
	for _, host := range []string{"localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1"} {
		e, err := w.hooks.Create(t.Context(), webhooks.EndpointInput{URL: "http://" + host + ":" + port})
		is.NoErr(err)
		a, err := w.hooks.Test(t.Context(), e.ID)
		is.NoErr(err)
		is.Equal(a.Result, events.GaveUp)
		if host == "localhost" {
			is.True(strings.Contains(a.Error, "private"))
		}
	}
	is.Equal(len(w.requests()), 0)
}

// names is a resolver that returns what the test sets.
type names struct {
	mu      sync.Mutex
	addrs   []netip.Addr
	queries int
}

func (n *names) set(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs = nil
	for _, a := range addrs {
		n.addrs = append(n.addrs, netip.MustParseAddr(a))
	}
}

func (n *names) asked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.queries
}

// reply returns the message with which a query is responded to.
func (n *names) reply(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	q := m.Questions[0]
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queries++
	for _, a := range n.addrs {
		head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && a.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return m.Pack()
}

// resolver starts the name server, and returns who asks it.
func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		in := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(in)
			if err != nil {
				return // closed
			}
			out, err := n.reply(in[:size])
			if err == nil {
				_, err = conn.WriteTo(out, from)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() { _ = conn.Close(); serving.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A name that changes its address between two requests, or has several at once,
// reaches none that is refused: the receiver listens on all of them.
func TestANameThatChangesReachesNoSpecialAddress(t *testing.T) {
	is := is.New(t)
	const allowed, refused = "127.0.0.1", "127.0.0.2"
	var mu sync.Mutex
	reached := map[string]int{}
	receiver := &httptest.Server{Config: &http.Server{Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		host, _, _ := net.SplitHostPort(fmt.Sprint(r.Context().Value(http.LocalAddrContextKey)))
		reached[host]++
		out.Header().Set("Connection", "close") // so that each request is dialled
	}), ReadHeaderTimeout: time.Minute}}
	var err error
	receiver.Listener, err = net.Listen("tcp4", "0.0.0.0:0")
	is.NoErr(err)
	receiver.Start()
	defer receiver.Close()
	_, port, err := net.SplitHostPort(receiver.Listener.Addr().String())
	is.NoErr(err)
	n := &names{}
	w := newWorld(t, backends.Memory(), webhooks.Options{
		Resolver: n.resolver(t), Allow: func(a netip.Addr) bool { return a == netip.MustParseAddr(allowed) },
	})
	n.set(allowed)
	e, err := w.hooks.Create(t.Context(), webhooks.EndpointInput{URL: "http://shop.example:" + port})
	is.NoErr(err)
	for _, step := range []struct {
		addrs []string
		want  webhooks.Result
	}{
		{[]string{allowed}, events.Done},
		{[]string{refused}, events.GaveUp}, // rebound
		{[]string{refused, allowed}, events.Done},
		{[]string{"::ffff:127.0.0.2", "::1"}, events.GaveUp},
		{[]string{allowed}, events.Done},
	} {
		n.set(step.addrs...)
		before := n.asked()
		a, err := w.hooks.Test(t.Context(), e.ID)
		is.NoErr(err)
		if a.Result != step.want {
			t.Errorf("%v: got %s %q, want %s", step.addrs, a.Result, a.Error, step.want)
		}
		is.True(n.asked() > before) // resolved anew
	}
	is.Equal(reached, map[string]int{allowed: 3})
}

// hostile is an endpoint of a receiver that the test writes.
func hostile(t *testing.T, o webhooks.Options, receive http.HandlerFunc) webhooks.Attempt {
	t.Helper()
	is := is.New(t)
	w := newWorld(t, backends.Memory(), o)
	receiver := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then the server sees that nobody waits
			t.Error(err)
		}
		receive(out, r)
	}))
	defer receiver.Close()
	e, err := w.hooks.Create(t.Context(), webhooks.EndpointInput{URL: receiver.URL + "/"})
	is.NoErr(err)
	a, err := w.hooks.Test(t.Context(), e.ID)
	is.NoErr(err)
	return a
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		is := is.New(t)
		paths := make(chan string, 10)
		a := hostile(t, webhooks.Options{}, func(out http.ResponseWriter, r *http.Request) {
			paths <- r.URL.Path
			http.Redirect(out, r, "/elsewhere", code)
		})
		is.Equal(a.Result, events.GaveUp)
		is.Equal(a.StatusCode, code)
		is.Equal(len(paths), 1)
	}
}

func TestResponsesAreReadUpToABound(t *testing.T) {
	is := is.New(t)
	ended := make(chan int, 1)
	a := hostile(t, webhooks.Options{}, func(out http.ResponseWriter, r *http.Request) {
		sent, piece := 0, make([]byte, 64<<10)
		for sent < 1<<30 {
			n, err := out.Write(piece)
			sent += n
			if err != nil {
				break // nobody reads
			}
		}
		ended <- sent
	})
	is.Equal(a.Result, events.Done) // the status says that it was taken
	is.True(<-ended < 64<<20)       // what fits into buffers on the way

	a = hostile(t, webhooks.Options{}, func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("X-Long", strings.Repeat("x", 1<<20))
	})
	is.Equal(a.Result, events.GaveUp)
}

func TestARequestEndsAtItsDeadline(t *testing.T) {
	for what, receive := range map[string]http.HandlerFunc{
		"no response": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"no end of the body": func(out http.ResponseWriter, r *http.Request) {
			out.WriteHeader(http.StatusOK)
			if err := http.NewResponseController(out).Flush(); err != nil {
				t.Error(err)
			}
			<-r.Context().Done()
		},
	} {
		t.Run(what, func(t *testing.T) {
			is := is.New(t)
			a := hostile(t, webhooks.Options{Timeout: 100 * time.Millisecond}, receive)
			is.Equal(a.Result, events.GaveUp)
			is.True(strings.Contains(a.Error, "did not respond in time"))
			is.True(a.Took >= 100*time.Millisecond && a.Took < 30*time.Second)
		})
	}
}
