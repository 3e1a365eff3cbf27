// Package returnads has return ads: advertisements that are shown after a
// purchase at other advertisers and lead back to their own.
//
// An ad runs between two instants, until it is paused or deleted, and until it
// has been shown or followed as often as it may be; its [offers.Status] is
// computed from those, as that of a campaign is. Views and clicks are counted in
// the unit that checks the limit, so that no limit is passed, however many
// readers there are at once. What the affiliate link behind an ad brought comes
// from package links/stats.
package returnads
