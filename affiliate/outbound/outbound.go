package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/internal/special"
)

// ErrForbidden is the error of a request to an address that may not be reached.
var ErrForbidden = errors.New("the address is private, link-local or otherwise special")

// Public reports whether an address is one of the public internet: not private,
// loopback, link-local (where clouds have their metadata), multicast, or one that
// stands for another address.
func Public(a netip.Addr) bool { return special.Public(a) }

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
