package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrForbidden is the error of a request to an address that may not be reached.
var ErrForbidden = errors.New("the address is private, link-local or otherwise special")

// Public reports whether an address is one of the public internet: not private,
// loopback, link-local (where clouds have their metadata), multicast, or one that
// stands for another address.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // no network contains an address with a zone
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// special are networks of the IANA registries that are not the public internet
// although they look like it.
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// Options sets up a client. The zero Options work.
type Options struct {
	// Timeout bounds a request with all its parts; default: 15 seconds.
	Timeout time.Duration
	// Allow says which addresses may be reached; default: Public.
	Allow func(netip.Addr) bool
	// Resolver finds the addresses of names; default: net.DefaultResolver.
	Resolver *net.Resolver
}

// NewClient returns a client that dials allowed addresses only: each address is
// checked when it is dialled, after the name was resolved. The error of another
// address is ErrForbidden. The client follows no redirect and knows no proxy, and
// it reads at most 64 KiB of headers; how much of a body is read is the caller's
// to bound.
func NewClient(o Options) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Allow == nil {
		o.Allow = Public
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !o.Allow(at.Addr().Unmap()) {
			return ErrForbidden
		}
		return nil
	}}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: o.Timeout, ResponseHeaderTimeout: o.Timeout, IdleConnTimeout: 30 * time.Second,
			MaxIdleConns: 256, MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
