// Package google is a driver of package adsync for the Google Ads API and the
// Merchant API, over net/http and their JSON.
//
//	driver, err := google.New(google.Options{Token: source, LoginCustomer: "1234567890"})
//	engine, err := adsync.NewEngine(store, adsync.EngineOptions{Drivers: []adsync.Driver{driver}})
//
// # What becomes of the records
//
//	campaign  a campaign with a budget of its own and its locations, in one call
//	ad set    an ad group, many in a call; each fails for itself
//	ad        a responsive search ad, many in a call
//	item      a product of the ad account's data source, accounts/1/dataSources/2
//
//	create ──► sent ──► applied
//	            │ answer lost, or the name is a duplicate
//	            ▼
//	        looked for by its marker ──► there: changed ──► applied
//	            └──► not there: sent again
//
// The names of campaigns and ad groups end with the record's marker in brackets.
// Ads have no names: their marker is the custom parameter "sync". A product is
// named by its language, its feed label and the record's id.
//
// # Choices where Google's documents are silent
//
//   - Amounts are minor units times 10,000.
//   - The third headline is the host of the destination, the second description
//     is made of both headlines: Google asks for that many.
//   - Locations are criteria ids; a country is 2000 and its number. Places around
//     a point, regions, cities and zips are Facebook's and park the campaign.
//   - Campaigns bid by clicks (manualCpc) and declare that they hold no political
//     advertising in the European Union.
//   - The feed label and the language of a product are the two parts of the item's
//     content language: "pt-br" is BR and pt.
package google
