// A backend over a key-value store, which is no dependency of affiliatekit: so
// this example is a module of its own.
module github.com/affiliatekit/affiliatekit/examples/ownbackend

go 1.26.0

require (
	github.com/affiliatekit/affiliatekit v0.0.0
	github.com/google/uuid v1.6.0
	github.com/matryer/is v1.4.1
	go.etcd.io/bbolt v1.5.0
)

require (
	github.com/shopspring/decimal v1.6.0 // indirect
	golang.org/x/image v0.47.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/affiliatekit/affiliatekit => ../..
