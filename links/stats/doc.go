// Package stats turns what happens into statistics: how many clicks, orders and
// payments there were on a day, what they earned and what they cost.
//
// # Roll-ups
//
// The packages that own clicks, orders, payments and return ads tell about them
// by [Record], in the unit in which they happen. A [Fact] counts at once in
// one row of each of its levels:
//
//	                ┌─ advertiser                        day, source
//	                ├─ campaign     advertiser, offer    day, source
//	fact ─► Record ─┼─ creator      … and user           day, source
//	                ├─ link         … and link           day, source
//	                └─ return ad    advertiser, ad       day
//
// A question ([Filter], [Dimensions]) reads the rows of one level: a month of an
// advertiser or a campaign is some thirty rows, however many clicks there were.
// Lists of creators and of links grow with those shown and with the days.
// User tags are no level: they are joined by the creators that have them now.
//
// Roll-ups always equal a recount. [Recount] adds the facts of one part up
// again, and Verify of the package that owns them returns each difference.
//
// # Choices where the documents are silent
//
//   - A fact counts on the day of what it is about: a refund, a correction and
//     a decline on the day of their order. Past days change thereby.
//   - Clicks are the valid ones. The others are counted by their verdict. A click
//     that is taken back as a whole counts no longer; money that a host takes from
//     the entry of a click by offers.Reverse is not in statistics.
//   - Orders that earn and cost nothing, and those without a creator, are no
//     events.
//   - Money is in the currency of the advertiser. Rows of several advertisers
//     that may have different currencies are kept apart by [ByCurrency].
//   - Readers are different visitors of a campaign, each once a day, because a
//     visitor cannot be recognised the day after. A row of affiliate_stats_readers
//     for each is kept for two days; then only the count stays. Readers have no
//     source and no creator.
//   - Days are those of the advertiser: [DayOf] is the date in its time zone, UTC
//     unless it has one. What happens is counted on its day when it happens, so
//     that a question costs the same in every zone. A day cannot be cut anew: the
//     zone is fixed once anything is counted, like the currency. A row of several
//     advertisers adds up days of the same date. The zone of an advertiser is set
//     by a library call; the documents have no field for it. A day of 23 or 25
//     hours is one day.
//   - Keys of visitors change at midnight UTC. Where that is within a day of the
//     advertiser, a reader who comes before and after it counts twice.
//   - This package is below offers, although its folder is in links: campaigns
//     record payments and return ads, and links record clicks and orders.
package stats
