package host

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddress returns the function that finds out the address of who sent a
// request, behind the given proxies.
func clientAddress(proxies []netip.Prefix) func(*http.Request) string {
	trusted := make([]netip.Prefix, len(proxies))
	for i, p := range proxies {
		trusted[i] = p.Masked()
	}
	isProxy := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return func(r *http.Request) string {
		peer, ok := parseAddress(r.RemoteAddr)
		if !ok {
			return r.RemoteAddr
		}
		if !isProxy(peer) {
			return peer.String()
		}
		byList, listed := lastUntrusted(forwardedFor(r.Header["X-Forwarded-For"]), isProxy)
		byPairs, paired := lastUntrusted(forwarded(r.Header["Forwarded"]), isProxy)
		switch {
		case listed && paired && byList != byPairs:
			return peer.String()
		case listed:
			return byList.String()
		case paired:
			return byPairs.String()
		}
		return peer.String()
	}
}

// lastUntrusted is the last address that is no proxy's. What stands before an
// entry that cannot be read is not believed.
func lastUntrusted(entries []string, isProxy func(netip.Addr) bool) (netip.Addr, bool) {
	for _, entry := range slices.Backward(entries) {
		a, ok := parseAddress(entry)
		if !ok {
			return netip.Addr{}, false
		}
		if !isProxy(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// forwardedFor are the entries of X-Forwarded-For headers, in order.
func forwardedFor(values []string) (entries []string) {
	for _, v := range values {
		for e := range strings.SplitSeq(v, ",") {
			entries = append(entries, strings.TrimSpace(e))
		}
	}
	return entries
}

// forwarded are the for= entries of Forwarded headers (RFC 7239), in order. A
// hop that does not say for whom it is counts as one that cannot be read.
func forwarded(values []string) (entries []string) {
	for _, v := range values {
		for hop := range strings.SplitSeq(v, ",") {
			entry := ""
			for pair := range strings.SplitSeq(hop, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
				if strings.EqualFold(name, "for") {
					entry = strings.Trim(value, `"`)
				}
			}
			entries = append(entries, entry)
		}
	}
	return entries
}

// parseAddress reads an IP address with or without a port. IPv4 in IPv6 form is
// IPv4; a zone is dropped.
func parseAddress(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
