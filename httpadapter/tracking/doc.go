// Package tracking serves what readers and shops ask for without a principal: the
// redirect of affiliate links, return ads and pictures, and the reports of orders.
// It is a package of its own so that a host that serves only these links nothing of
// the APIs; httpadapter.New serves them beside the APIs.
//
//	redirect, err := tracking.NewRedirect(service, tracking.Options{})
//	mux.Handle("/c/", redirect)
//
// The documentation of package httpadapter says what the redirect counts.
package tracking

import "github.com/affiliatekit/affiliatekit/httpadapter/internal/host"

// Options sets up the handlers; see httpadapter.Options. The zero Options work.
type Options = host.Options
