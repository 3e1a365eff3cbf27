// The runner of make mutants: a module of its own, so that what reads Go code is
// no dependency of affiliatekit.
module github.com/affiliatekit/affiliatekit/.mutants

go 1.26.0

require golang.org/x/tools v0.51.0

require (
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.23.0 // indirect
)
