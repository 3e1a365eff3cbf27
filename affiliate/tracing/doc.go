// Package tracing makes a tracer for the services and the HTTP adapter of an
// OpenTelemetry provider. It is a package of its own so that only programs that
// import it link OpenTelemetry, and of that the API alone: which SDK, sampler and
// exporter there are is the host's choice.
//
//	tracer := tracing.New(provider) // a trace.TracerProvider, such as the SDK's
//	kit, err := affiliatekit.New(backend, affiliatekit.Options{Tracer: tracer})
//	handler, err := httpadapter.New(services, httpadapter.Options{Tracer: tracer})
//
// The provider is an argument, and otel.GetTracerProvider is never asked: a
// library that reads a global one links the metrics API and the SDK's hooks as
// well, and traces differently in a test than in production. A host that has set
// the global provider passes that.
//
// # The spans
//
//	GET /v2/users/{id}          server    one for each request, named by method and route
//	links.read, orders.write    internal  one for each unit of work of a domain
//	links.record, orders.record internal  the unit of a batch of clicks, or of reported orders
//	links.record_clicks         internal  a batch of clicks, with its unit inside
//	events.deliver              internal  a batch of events for one subscriber or endpoint
//	event KIND                  consumer  an event at a subscriber of this process
//	webhook KIND                client    an event at an endpoint
//	adsync.batch                internal  a batch of jobs of the sync engine
//	adsync.apply SERVICE        client    its operations at one ad account
//	events.work, adsync.work    internal  units of workers; only inside of another span,
//	                                      because workers look for work all the time
//
// The parent of a request's span is what the request's context carries: a host
// that continues traces of its callers puts otelhttp, or three lines with a
// propagator, in front of the adapter.
//
// # The attributes
//
// No attribute holds personal data, a URL, an address or an id of a person.
//
//	http.request.method, http.route, http.response.status_code   as OpenTelemetry names them
//	affiliatekit.operation      the operation id, as in metrics
//	affiliatekit.attempts       how often the callback of a unit ran; each further run is an event "retry"
//	affiliatekit.clicks         of a batch
//	affiliatekit.channel, affiliatekit.consumer, affiliatekit.events    of a batch of events
//	affiliatekit.attempt        the number of the attempt to deliver an event
//	affiliatekit.endpoint       the id of a webhook endpoint
//	affiliatekit.jobs, affiliatekit.operations, affiliatekit.failures   of a batch of the sync engine
//	error.type                  the code of an error, such as "not_found"
//
// A span is failed (codes.Error) when a request is responded to with 500 or more,
// a unit fails for another reason than what was asked for, or a delivery has to be
// tried again.
package tracing
