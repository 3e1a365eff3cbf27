package main

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/links"
)

func noVariables(string) string { return "" }

func TestFlagsDefaultToMemoryOnLoopback(t *testing.T) {
	is := is.New(t)
	c, err := parseFlags(nil, noVariables, io.Discard)
	is.NoErr(err)
	is.Equal(c.addr.String(), "127.0.0.1:8080")
	is.Equal(c, config{addr: c.addr, rate: 300, clicks: links.GroupCommit, timeout: 30 * time.Second, drain: 20 * time.Second, notices: io.Discard})
}

func TestClickModesHaveTheNamesOfTheFlag(t *testing.T) {
	for name, want := range map[string]links.ClickMode{"sync": links.Sync, "group": links.GroupCommit, "async": links.Async} {
		c, err := parseFlags([]string{"-clicks", name}, noVariables, io.Discard)
		if err != nil || c.clicks != want {
			t.Errorf("-clicks %s: got %v, error %v; want %v", name, c.clicks, err, want)
		}
	}
}

func TestTrustedProxiesAreNetworksOrAddresses(t *testing.T) {
	is := is.New(t)
	c, err := parseFlags([]string{"-trusted-proxies", "10.0.0.0/8, 192.0.2.1,fd00::/8"}, noVariables, io.Discard)
	is.NoErr(err)
	is.Equal(c.proxies, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("fd00::/8")})
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-rate", "-1"}, {"-rate", "x"}, {"-clicks", "never"}, {"-unknown"}, {"demo"}, {"-addr", "127.0.0.1"}, {"-addr", "127.0.0.1:99999"},
		{"-trusted-proxies", "proxy.example"}, {"-trusted-proxies", "10.0.0.0/8,"},
	} {
		if _, err := parseFlags(args, noVariables, io.Discard); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}

func TestDemoListensOnLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "127.1.2.3:0": true, "[::1]:0": true,
		":0": false, "0.0.0.0:0": false, "[::]:0": false, "192.0.2.1:0": false, "[::ffff:192.0.2.1]:0": false,
	} {
		if _, err := parseFlags([]string{"-demo", "-addr", addr}, noVariables, io.Discard); (err == nil) != ok {
			t.Errorf("-demo -addr %s: got error %v, want one: %v", addr, err, !ok)
		}
		if _, err := parseFlags([]string{"-addr", addr}, noVariables, io.Discard); err != nil {
			t.Errorf("-addr %s without -demo: %v", addr, err)
		}
	}
}

func TestShortAdminTokenIsRefused(t *testing.T) {
	is := is.New(t)
	with := func(token string) error {
		_, err := parseFlags(nil, func(name string) string {
			is.Equal(name, "AFFILIATEKIT_ADMIN_TOKEN")
			return token
		}, io.Discard)
		return err
	}
	is.True(with("fifteen-bytes-1") != nil)
	is.NoErr(with("sixteen-bytes-01"))
}

func TestPublicURLDefaultsToWhereTheServerListens(t *testing.T) {
	for ip, want := range map[string]string{
		"127.0.0.1": "http://127.0.0.1:8080", "::1": "http://[::1]:8080", "0.0.0.0": "http://localhost:8080", "::": "http://localhost:8080",
	} {
		if got := publicURLFor(&net.TCPAddr{IP: net.ParseIP(ip), Port: 8080}); got != want {
			t.Errorf("on %s: got %s, want %s", ip, got, want)
		}
	}
}

func TestIssuerAndAudienceBelongTogether(t *testing.T) {
	is := is.New(t)
	with := func(args ...string) error {
		_, err := parseFlags(args, func(string) string { return "" }, io.Discard)
		return err
	}
	is.True(with("-oidc-issuer", "https://id.example") != nil)
	is.True(with("-oidc-audience", "affiliate") != nil)
	is.NoErr(with("-oidc-issuer", "https://id.example", "-oidc-audience", "affiliate"))
}
