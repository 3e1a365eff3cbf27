// Benchmarks against other libraries: a module of its own, so that they are
// no dependencies of affiliatekit.
module github.com/affiliatekit/affiliatekit/.bench

go 1.26.0

require (
	github.com/AdguardTeam/urlfilter v0.5.0
	github.com/affiliatekit/affiliatekit v0.0.0
	github.com/google/uuid v1.6.0
	github.com/hashicorp/go-memdb v1.3.5
)

require (
	github.com/AdguardTeam/golibs v0.1.3 // indirect
	github.com/asaskevich/govalidator v0.0.0-20180720115003-f9ffefc3facf // indirect
	github.com/hashicorp/go-immutable-radix v1.3.1 // indirect
	github.com/hashicorp/golang-lru v0.5.4 // indirect
	github.com/joomcode/errorx v0.8.0 // indirect
	github.com/shopspring/decimal v1.6.0 // indirect
	github.com/stretchr/testify v1.8.1 // indirect
	golang.org/x/image v0.47.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/affiliatekit/affiliatekit => ../
