// Package delivery sends webhooks over HTTP. It is a package of its own so that
// programs that only keep endpoints, as every backend does, do not link net/http.
//
// affiliatekit.New uses it. A host that makes the service itself calls
// [NewService]:
//
//	hooks, err := delivery.NewService(backend.Webhooks(), backend.Events(), webhooks.Options{})
//
// A request reaches only addresses that Options.Allow allows, whatever name led to
// them: the address is checked when it is dialled. It follows no redirect, uses no
// proxy, ends at Options.Timeout, and reads at most 64 KiB of the response. Its
// errors do not have the URL, which may hold credentials.
package delivery
