// Package special knows which addresses are not of the public internet. It is apart
// from the client of package outbound, so that who only checks an address does not
// link net/http.
package special

import "net/netip"

// Public reports whether an address is one of the public internet: not private,
// loopback, link-local (where clouds have their metadata), multicast, or one that
// stands for another address.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // no network contains an address with a zone
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range networks {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// networks are networks of the IANA registries that are not the public internet
// although they look like it.
var networks = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}
