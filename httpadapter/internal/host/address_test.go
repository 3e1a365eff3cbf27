package host

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestTheClientIsTheLastAddressThatIsNoProxy(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer, list, pairs, want string
	}{
		{"no proxy", "192.0.2.1:5555", "", "", "192.0.2.1"},
		{"a stranger's header is ignored", "192.0.2.1:5555", "198.51.100.7", "for=198.51.100.7", "192.0.2.1"},
		{"one proxy", "10.0.0.1:80", "198.51.100.7", "", "198.51.100.7"},
		{"what the reader claims comes first", "10.0.0.1:80", "203.0.113.9, 198.51.100.7", "", "198.51.100.7"},
		{"two proxies", "10.0.0.1:80", "198.51.100.7, 10.0.0.2", "", "198.51.100.7"},
		{"only proxies", "10.0.0.1:80", "10.0.0.3, 10.0.0.2", "", "10.0.0.1"},
		{"no header", "10.0.0.1:80", "", "", "10.0.0.1"},
		{"nonsense", "10.0.0.1:80", "198.51.100.7, unknown", "", "10.0.0.1"},
		{"Forwarded", "10.0.0.1:80", "", `for=203.0.113.9, proto=https;For="[2001:DB8::1]:4711"`, "2001:db8::1"},
		{"a hop without for", "10.0.0.1:80", "", `for=203.0.113.9, proto=https`, "10.0.0.1"},
		{"both agree", "10.0.0.1:80", "198.51.100.7", "for=198.51.100.7", "198.51.100.7"},
		{"both disagree", "10.0.0.1:80", "198.51.100.7", "for=203.0.113.9", "10.0.0.1"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:80", "::ffff:198.51.100.7", "", "198.51.100.7"},
		{"with a port", "10.0.0.1:80", "198.51.100.7:1234", "", "198.51.100.7"},
		{"IPv6 proxy", "[fd00::1%eth0]:80", "2001:DB8::2", "", "2001:db8::2"},
		{"no address", "@", "198.51.100.7", "", "@"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
			if c.list != "" {
				r.Header.Set("X-Forwarded-For", c.list)
			}
			if c.pairs != "" {
				r.Header.Set("Forwarded", c.pairs)
			}
			if got := clientAddress(proxies)(r); got != c.want {
				t.Errorf("peer %q, X-Forwarded-For %q, Forwarded %q: got %q, want %q", c.peer, c.list, c.pairs, got, c.want)
			}
		})
	}
}

func TestWithoutProxiesNoHeaderIsBelieved(t *testing.T) {
	r := &http.Request{RemoteAddr: "192.0.2.1:5555", Header: http.Header{"X-Forwarded-For": {"198.51.100.7"}}}
	if got := clientAddress(nil)(r); got != "192.0.2.1" {
		t.Errorf("got %q, want 192.0.2.1", got)
	}
}

func FuzzClientAddress(f *testing.F) {
	f.Add("10.0.0.1:80", "198.51.100.7, 10.0.0.2", `for="[2001:db8::1]:1";proto=https, for=unknown`)
	f.Add("[::1]:1", ",,", ";=;,")
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	address := clientAddress(proxies)
	f.Fuzz(func(t *testing.T, peer, list, pairs string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {list}, "Forwarded": {pairs}}}
		got := address(r)
		if a, ok := parseAddress(peer); ok && !proxies[0].Contains(a) && got != a.String() {
			t.Errorf("a stranger's header counted: %q", got)
		}
	})
}
