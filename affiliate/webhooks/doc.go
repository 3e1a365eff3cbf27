// Package webhooks sends events to endpoints that the host sets, in the form of
// Standard Webhooks (https://www.standardwebhooks.com).
//
//	POST <url>
//	webhook-id: evt_42                  the same for each attempt: ignore what you have handled
//	webhook-timestamp: 1774180800       of the attempt
//	webhook-signature: v1,<base64>      HMAC-SHA256 over "id.timestamp.body"; two of them while keys change
//
//	{"type":"order.approved","version":1,"timestamp":"2026-03-22T12:00:00Z","sequence":42,
//	 "advertiser_id":7,"object":{"type":"order","id":"17"},"data":{…}}
//
// A receiver checks a message with [Verify], or with any library for Standard
// Webhooks.
//
// This package keeps endpoints, signs, and decides what is sent when. The requests
// are made by a [Sender]: package delivery has it, and affiliatekit.New puts it in.
//
// # Delivery
//
// An endpoint is a consumer of package events: it gets the events of its filter in
// order for each object, at least once, and from one process at a time. A
// response other than 2xx within Options.Timeout is a failure. It is tried again
// after 5 seconds, then 10, 20, … up to 8 hours, with jitter, and after three days
// the delivery is parked. Retry-After is heeded. While nothing gets through only
// one message is tried, the others wait; other endpoints do not notice.
//
//	active ──failing for five days, or 410──► disabled ──Enable──► active
//
// A disabled endpoint raises "webhook_endpoint.disabled". What happens until it is
// enabled is not queued for it: [Service.Replay] sends it, by range.
//
// # Safety
//
// Hosts let their own customers name URLs, so that a request must not reach what
// is behind the host's firewall. The address is checked when it is dialled, after
// the name was resolved: private, loopback, link-local, metadata and other special
// addresses are refused (see outbound.Public), however the name changes. Redirects are
// not followed and proxies not used. Responses are read up to 64 KiB and not
// kept.
//
// Secrets are kept as they are, because they sign. They are in no event and no
// log.
package webhooks
