// Package facebook is a driver of package adsync for Facebook's Marketing API and
// its product catalogs, over net/http.
//
//	driver, err := facebook.New(facebook.Options{Token: source, Page: pageOf})
//	engine, err := adsync.NewEngine(store, adsync.EngineOptions{Drivers: []adsync.Driver{driver}})
//
// # What becomes of the records
//
//	campaign  act_…/campaigns    objective of the options; its daily budget, if it has one
//	ad set    act_…/adsets       daily budget (unless the campaign has one), bid, locations
//	ad        act_…/adcreatives  and act_…/ads that refers to the creative; another content
//	                             is another creative
//	item      CATALOG/items_batch, asynchronously:
//
//	          items_batch          check_batch_request_status
//	sent ─────────────────► handle ──────────────────────────► in the catalog, or refused
//	                         ▲    │ in progress
//	                         └────┘
//
// The name of each object ends with the record's marker in brackets: that is how a
// create whose answer was lost is found again. The id of an item in the catalog is
// the record's id.
//
// # Allowances
//
// Facebook tells in the headers X-Business-Use-Case-Usage, X-Ad-Account-Usage and
// X-App-Usage how much of an allowance is used. The fullest one counts, for the
// whole ad account: see adsync.Throttle. Error codes 4, 17, 32, 613 and 80000 to
// 80014 stop the ad account too.
//
// # Choices where Facebook's documents are silent
//
//   - Codes 1 and 2, is_transient and 5xx are tried again, and what they did is not
//     known. 100 with the subcode 33 is an object that is gone.
//   - A video is uploaded by its address, before its creative.
//   - A handle that Facebook has forgotten is as good as a lost answer: the items
//     are sent again.
//   - The link of a creative is where its picture leads; the destination of the ad
//     is that of its button.
package facebook
