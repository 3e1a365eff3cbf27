// Package affiliatekit is the root of an embeddable library for affiliate marketing. [New] makes
// every service over one backend. A host may also take only the parts that it needs:
//
//   - affiliate: the core, with money, ids, errors, principals, units of work, the ledger, and who
//     takes part: advertisers, clients, groups, users;
//   - links: which URLs are an advertiser's, links to them, clicks and what they are paid;
//   - offers, deals, productlists, adsync: campaigns and budgets, promo codes, product lists, ad
//     inventory;
//   - storage: the backends, in memory and on PostgreSQL, and the suite that a third one runs;
//   - httpadapter: the documented HTTP APIs over these services;
//   - examples: programs that put the parts together.
//
// Imports point inward: adapters and backends know the domains, the domains know the core, and
// the core knows nobody. The tests beside this file hold them to it, and to the table.
//
// # What a package costs
//
// A program links what its packages need and no more. With links in memory it has at
// most 9 MB. These are the modules of others that packages link, a golang.org module
// without its host; packages add up less than their numbers, because they share most:
//
//	links, storage/memory         5  google/uuid shopspring/decimal x/image x/net x/text
//	affiliatekit                  5  google/uuid shopspring/decimal x/image x/net x/text
//	storage/postgres             18  google/uuid jackc/pgpassfile jackc/pgservicefile jackc/pgx/v5 jackc/puddle/v2 jinzhu/inflection puzpuzpuz/xsync/v3 shopspring/decimal tmthrgd/go-hex uptrace/bun uptrace/bun/dialect/pgdialect vmihailenco/msgpack/v5 vmihailenco/tagparser/v2 x/image x/net x/sync x/sys x/text
//	httpadapter/tracking          8  google/uuid hashicorp/golang-lru/v2 mileusna/useragent shopspring/decimal x/image x/net x/text x/time
//	httpadapter/myshare           5  google/uuid hashicorp/golang-lru/v2 shopspring/decimal x/text x/time
//	httpadapter/apisync           5  google/uuid hashicorp/golang-lru/v2 shopspring/decimal x/text x/time
//	httpadapter/productlists      5  google/uuid hashicorp/golang-lru/v2 shopspring/decimal x/text x/time
//	httpadapter/metapic          14  google/uuid hashicorp/golang-lru/v2 richardlehane/mscfb richardlehane/msoleps shopspring/decimal tiendc/go-deepcopy xuri/efp xuri/excelize/v2 xuri/nfp x/crypto x/image x/net x/text x/time
//	httpadapter/advertiser        7  google/uuid hashicorp/golang-lru/v2 shopspring/decimal x/image x/net x/text x/time
//	httpadapter                  15  google/uuid hashicorp/golang-lru/v2 mileusna/useragent richardlehane/mscfb richardlehane/msoleps shopspring/decimal tiendc/go-deepcopy xuri/efp xuri/excelize/v2 xuri/nfp x/crypto x/image x/net x/text x/time
//	httpadapter/oidc              6  MicahParks/jwkset MicahParks/keyfunc/v3 golang-jwt/jwt/v5 shopspring/decimal x/text x/time
//	httpadapter/metrics          14  beorn7/perks cespare/xxhash/v2 google/uuid munnerz/goautoneg prometheus/client_golang prometheus/client_model prometheus/common prometheus/procfs shopspring/decimal x/image x/net x/sys x/text protobuf
//	affiliate/tracing             5  cespare/xxhash/v2 shopspring/decimal otel otel/trace x/text
//	affiliate/webhooks/delivery   3  google/uuid shopspring/decimal x/text
//	affiliate/payouts/invoicepdf  3  go-pdf/fpdf shopspring/decimal x/text
//	links/archive/parquet        14  andybalholm/brotli google/uuid klauspost/compress parquet-go/bitpack parquet-go/jsonlite parquet-go/parquet-go pierrec/lz4/v4 shopspring/decimal twpayne/go-geom x/image x/net x/sys x/text protobuf
//	adsync/facebook, adsync/google  4  google/uuid shopspring/decimal x/oauth2 x/text
package affiliatekit
