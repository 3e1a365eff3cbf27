package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

// config is what the command line and the environment say.
type config struct {
	addr       *net.TCPAddr
	dsn        string
	demo       bool
	publicURL  string
	rate       int
	clicks     links.ClickMode
	adminToken string
	products   string // a feed to import; empty: none
	// productsFull is a feed to import that has all products of its merchants.
	productsFull string
	images       string
	proxies      []netip.Prefix // the reverse proxies in front
	// The OpenID provider whose JWTs are taken; both empty: none.
	oidcIssuer, oidcAudience string
	timeout                  time.Duration // of one request
	drain                    time.Duration // how long the stop waits for requests under way
	notifications            string        // where notifications-proxy forwards to; empty: nowhere
	webhook                  webhookConfig
	notices                  io.Writer // sentences for the person who starts the server
}

// blobs is where images are kept.
func (c config) blobs() (affiliate.Blobs, error) {
	if c.images == "" {
		return affiliate.NewMemoryBlobs(), nil
	}
	return affiliate.NewDirBlobs(c.images)
}

const adminTokenVariable = "AFFILIATEKIT_ADMIN_TOKEN"

// parseFlags reads the flags and checks them. What is wrong with them is told
// on stderr by package flag or in the error.
func parseFlags(args []string, getenv func(string) string, stderr io.Writer) (config, error) {
	c := config{drain: drainTimeout, notices: stderr}
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "the `address` to listen on; port 0 takes a free one")
	flags.StringVar(&c.dsn, "dsn", "", "the PostgreSQL database, `postgres://…`; without it everything is in memory")
	flags.BoolVar(&c.demo, "demo", false, "load sample data and well-known tokens; only on a loopback address")
	flags.StringVar(&c.publicURL, "public-url", "", "the `URL` that links begin with, without a trailing slash (default: http:// and the address)")
	flags.IntVar(&c.rate, "rate", 300, "requests a minute per principal; 0: no limit. Redirects are not counted")
	flags.StringVar(&c.products, "import-products", "", "a product feed, a `file` of CSV, JSON or XML, to import before listening; products that it has not stay as they are")
	flags.StringVar(&c.productsFull, "import-products-full", "", "a product feed, a `file`, that has all products of its merchants: others of theirs become unavailable")
	flags.StringVar(&c.images, "images", "", "the `directory` to keep uploaded images in; without it they are in memory, and gone at the end")
	flags.Func("trusted-proxies", "the reverse proxies in front of this server, as `CIDR,…`: the reader's address is then in X-Forwarded-For", func(list string) (err error) {
		c.proxies, err = parsePrefixes(list)
		return err
	})
	flags.StringVar(&c.oidcIssuer, "oidc-issuer", "", "the `URL` of the OpenID provider whose JWTs are taken beside access tokens; it must be up at the start")
	flags.StringVar(&c.oidcAudience, "oidc-audience", "", "the `text` that these JWTs must name as their audience")
	flags.DurationVar(&c.timeout, "request-timeout", 30*time.Second, "how long a request may take before it is refused with 503")
	flags.StringVar(&c.notifications, "notifications-url", "", "the `URL` of the notification service that notifications-proxy forwards to")
	c.webhook.flags(flags)
	mode := flags.String("clicks", "group", "when a click is kept: sync and group before its redirect is answered, one by one or many at once; async soon after")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if (c.oidcIssuer == "") != (c.oidcAudience == "") {
		return c, errOIDC
	}
	if c.webhook.url != "" && c.webhook.secret == "" {
		c.webhook.secret = getenv(webhookSecretVariable)
	}
	if err := c.webhook.check(); err != nil {
		return c, err
	}
	if c.timeout <= 0 {
		return c, errors.New("-request-timeout must be positive")
	}
	if c.rate < 0 {
		return c, errors.New("-rate must not be negative")
	}
	var ok bool
	if c.clicks, ok = clickModes()[*mode]; !ok {
		return c, fmt.Errorf("-clicks must be sync, group or async, not %q", *mode)
	}
	if c.adminToken = getenv(adminTokenVariable); c.adminToken != "" && len(c.adminToken) < 16 {
		return c, errors.New(adminTokenVariable + " must have at least 16 bytes")
	}
	var err error
	if c.addr, err = net.ResolveTCPAddr("tcp", *addr); err != nil {
		return c, fmt.Errorf("-addr: %w", err)
	}
	if c.demo && !c.addr.IP.IsLoopback() {
		return c, errors.New("-demo has well-known tokens: it listens on a loopback address only")
	}
	return c, nil
}

// parsePrefixes reads networks, or single addresses, with commas in between.
func parsePrefixes(list string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if a, err := netip.ParseAddr(text); err == nil {
			prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q must be an IP address or a network such as 10.0.0.0/8", text)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

func clickModes() map[string]links.ClickMode {
	modes := make(map[string]links.ClickMode)
	for _, m := range []links.ClickMode{links.Sync, links.GroupCommit, links.Async} {
		modes[m.String()] = m
	}
	return modes
}

// publicURLFor is where links lead when nobody says otherwise: an address that
// means "every interface" is no place to go, this machine is.
func publicURLFor(listening *net.TCPAddr) string {
	if listening.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", listening.Port)
	}
	return "http://" + listening.String()
}
