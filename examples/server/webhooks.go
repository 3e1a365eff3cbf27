package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/netip"

	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
)

// webhookConfig is the endpoint that the flags name, and which addresses any
// endpoint may have.
type webhookConfig struct {
	url, secret  string
	allowPrivate bool
}

// webhookSecretVariable keeps the secret off the command line.
const webhookSecretVariable = "AFFILIATEKIT_WEBHOOK_SECRET"

func (c *webhookConfig) flags(flags *flag.FlagSet) {
	flags.StringVar(&c.url, "webhook-url", "", "the `URL` that all events are sent to, in the form of Standard Webhooks")
	flags.StringVar(&c.secret, "webhook-secret", "", "what these are signed with: `whsec_…`, 24 to 64 bytes in base64 (better "+webhookSecretVariable+" in the environment)")
	flags.BoolVar(&c.allowPrivate, "webhook-allow-private", false, "let webhooks reach private and loopback addresses, and plain http")
}

func (c webhookConfig) check() error {
	if (c.url == "") != (c.secret == "") {
		return errors.New("-webhook-url and -webhook-secret (or " + webhookSecretVariable + ") go together")
	}
	return nil
}

func (c webhookConfig) options(observe func(events.Attempt), log *slog.Logger) webhooks.Options {
	o := webhooks.Options{Observe: observe, Logger: log}
	if c.allowPrivate {
		o.AllowHTTP = true
		o.Allow = func(netip.Addr) bool { return true }
	}
	return o
}

// ensure adds the endpoint, or gives the one of an earlier start this URL and
// secret.
func (c webhookConfig) ensure(ctx context.Context, hooks *webhooks.Service) error {
	if c.url == "" {
		return nil
	}
	_, err := hooks.Ensure(ctx, "-webhook-url", webhooks.EndpointInput{URL: c.url, Secret: c.secret, Description: "-webhook-url"})
	return err
}
