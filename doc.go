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
// the core knows nobody. The test beside this file holds them to it.
package affiliatekit
