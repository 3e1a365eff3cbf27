package verification_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/affiliatekit/affiliatekit/affiliate/outbound"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/verification"
)

var proof = links.DomainProof{Host: "shop.example", Challenge: "abc"}

// records are those of a name server, by name with a trailing dot.
type records map[string][]string

// resolver starts the name server on the loopback interface, and returns who asks
// it. It notes the names that it is asked for.
func (r records) resolver(t *testing.T, asked *[]string) *net.Resolver {
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
			out, name, err := r.reply(in[:size])
			if asked != nil {
				*asked = append(*asked, name)
			}
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

func (r records) reply(query []byte) ([]byte, string, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, "", err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	q := m.Questions[0]
	texts, there := r[q.Name.String()]
	switch {
	case !there:
		m.RCode = dnsmessage.RCodeNameError
	case slices.Equal(texts, []string{"SERVFAIL"}):
		m.RCode = dnsmessage.RCodeServerFailure
	case q.Type == dnsmessage.TypeTXT:
		for _, text := range texts {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.TXTResource{TXT: []string{text}},
			})
		}
	}
	out, err := m.Pack()
	return out, q.Name.String(), err
}

func TestDNSFindsTheTextInItsOwnRecordOnly(t *testing.T) {
	const name = "_affiliatekit.shop.example."
	for _, tt := range []struct {
		name    string
		records records
		want    string // "", "no proof" or "unreachable"
	}{
		{"there", records{name: {"other", "affiliatekit-verification=abc"}}, ""},
		{"another challenge", records{name: {"affiliatekit-verification=abcd"}}, "no proof"},
		{"another case", records{name: {"affiliatekit-verification=ABC"}}, "no proof"},
		{"no record", records{name: nil}, "no proof"},
		{"no such name", records{}, "no proof"},
		{"at the host itself", records{"shop.example.": {"affiliatekit-verification=abc"}}, "no proof"},
		{"at the host below", records{"_affiliatekit.www.shop.example.": {"affiliatekit-verification=abc"}}, "no proof"},
		{"the server fails", records{name: {"SERVFAIL"}}, "unreachable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := verification.NewDNS(verification.DNSOptions{Resolver: tt.records.resolver(t, nil), Timeout: 5 * time.Second})
			if got := outcome(v.VerifyDomain(t.Context(), proof)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func outcome(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, links.ErrNoProof):
		return "no proof"
	}
	return "unreachable"
}

// resolve is a resolver that a host brings.
type resolve func(ctx context.Context, name string) ([]string, error)

func (r resolve) LookupTXT(ctx context.Context, name string) ([]string, error) { return r(ctx, name) }

func TestDNSAsksForTheWholeNameAndEndsAtItsDeadline(t *testing.T) {
	is := is.New(t)
	asked := ""
	v := verification.NewDNS(verification.DNSOptions{Timeout: time.Millisecond, Resolver: resolve(func(ctx context.Context, name string) ([]string, error) {
		asked = name
		<-ctx.Done()
		return nil, ctx.Err()
	})})
	err := v.VerifyDomain(t.Context(), proof)
	is.True(errors.Is(err, context.DeadlineExceeded))
	is.True(!errors.Is(err, links.ErrNoProof))
	is.Equal(asked, "_affiliatekit.shop.example.") // no search list
}

// fileOf is a verifier whose hosts are all served by the handler.
func fileOf(t *testing.T, o verification.FileOptions, h http.HandlerFunc) *verification.File {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	o.Address = func(string) string { return server.URL }
	return verification.NewFile(o)
}

func anywhere(netip.Addr) bool { return true }

func TestFileFindsTheTextInALine(t *testing.T) {
	const text = "affiliatekit-verification=abc"
	send := func(code int, body string) http.HandlerFunc {
		return func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/.well-known/affiliatekit-verification.txt" {
				http.NotFound(out, r)
				return
			}
			out.WriteHeader(code)
			if _, err := out.Write([]byte(body)); err != nil {
				t.Error(err)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		serve http.HandlerFunc
		want  string
	}{
		{"alone", send(200, text), ""},
		{"a line of several", send(200, "affiliatekit-verification=other\r\n "+text+" \r\n"), ""},
		{"behind a byte order mark", send(200, "\ufeff"+text+"\n"), ""},
		{"a part of a line", send(200, "x"+text), "no proof"},
		{"in a page that shows what was asked for", send(200, "<p>"+text+"</p>"), "no proof"},
		{"empty", send(200, ""), "no proof"},
		{"behind what is read", send(200, strings.Repeat("\n", 4<<10)+text), "no proof"},
		{"cut at the bound", send(200, strings.Repeat("\n", 4<<10-len(text)+1)+text), "no proof"},
		{"not found", send(404, text), "no proof"},
		{"another success", send(203, text), "no proof"},
		{"the server fails", send(503, text), "unreachable"},
		{"a redirect", func(out http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/.well") {
				http.Redirect(out, r, "/elsewhere", http.StatusFound)
				return
			}
			send(200, text)(out, r)
		}, "no proof"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(fileOf(t, verification.FileOptions{Allow: anywhere}, tt.serve).VerifyDomain(t.Context(), proof)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFileReachesNoSpecialAddress(t *testing.T) {
	is := is.New(t)
	v := fileOf(t, verification.FileOptions{}, func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") })
	err := v.VerifyDomain(t.Context(), proof)
	is.True(errors.Is(err, links.ErrNoProof)) // a host that is there cannot prove itself
	is.True(errors.Is(err, outbound.ErrForbidden))
}

func TestFileAsksTheHostOverHTTPS(t *testing.T) {
	is := is.New(t)
	var asked []string
	resolver := records{}.resolver(t, &asked)
	err := verification.NewFile(verification.FileOptions{Resolver: resolver, Timeout: 5 * time.Second}).VerifyDomain(t.Context(), proof)
	is.Equal(outcome(err), "unreachable") // the name has no address
	is.True(strings.Contains(err.Error(), "https://shop.example/.well-known/affiliatekit-verification.txt"))
}

func TestFileEndsAtItsDeadline(t *testing.T) {
	for what, serve := range map[string]http.HandlerFunc{
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
			v := fileOf(t, verification.FileOptions{Allow: anywhere, Timeout: 100 * time.Millisecond}, serve)
			if got := outcome(v.VerifyDomain(t.Context(), proof)); got != "unreachable" {
				t.Errorf("got %q, want unreachable", got)
			}
		})
	}
}

func TestFileIsReadUpToABound(t *testing.T) {
	is := is.New(t)
	ended := make(chan int, 1)
	v := fileOf(t, verification.FileOptions{Allow: anywhere}, func(out http.ResponseWriter, r *http.Request) {
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
	is.Equal(outcome(v.VerifyDomain(t.Context(), proof)), "no proof")
	is.True(<-ended < 64<<20) // what fits into buffers on the way
}
