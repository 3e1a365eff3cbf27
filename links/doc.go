// Package links turns shop URLs into tracked, paid clicks.
//
// # From a URL to money
//
//	rule ──► matcher ──► inspect ──► convert ──► link ──► redirect ──► click ──► ledger
//
// An advertiser says by allow and block rules ([Rule]) which URLs are its own.
// A creator turns such a URL into a [Link]; a reader who follows it is
// redirected to the shop, and the [Click] is judged, priced, booked and rolled
// up in one unit of work.
//
// # Matching
//
// [Normalize] brings a URL to one form. A [Matcher] is an immutable snapshot of
// all rules; matching costs a few look-ups per label of the host, however many
// advertisers there are. A change of rules is seen by this process at its next
// match and by others within Options.RuleRefresh: no goroutine is needed, the
// match that finds its snapshot too old asks for what changed.
//
// # Whose a domain is
//
//	unverified ──VerifyRule (TXT record or file), ConfirmRule (operator)──► verified
//
// What the operator registers is verified. A rule that anybody else adds is not,
// until its domain's owner has published a text of it ([DomainProof]), or the
// operator vouches for it; what a verified rule of the advertiser covers needs no
// proof of its own. Unverified rules work, but not for URLs that a verified rule
// has: neither a more specific nor an older one wins over it, and a URL that the
// owner blocks is nobody else's. Links that were made before stay. Package
// links/verification looks for proofs.
//
// # Clicks
//
//	            ┌─ bot        the user agent is a program's
//	            ├─ blocked    link deleted, creator banned, advertiser deactivated or blocklisting
//	request ──► ├─ duplicate  the visitor followed the link within the window
//	            ├─ capped     no budget had room
//	            └─ valid      earns and costs by the rates of the moment, frozen
//
// All are kept, valid ones are paid. HEAD requests and prefetches are no clicks.
// The first cause in the order above is the verdict.
//
// How durable a click is when its redirect is answered is a [ClickMode]:
// GroupCommit (the default) and Sync return after the commit; Async returns
// before it and counts what it loses. When a click cannot be kept in the first
// two modes, the redirect fails rather than lose it.
//
// Readers are told apart by a keyed hash of address and user agent. The key is
// new every day (UTC), shared through the store and forgotten after the next
// day; a visitor is compared under both keys, so that midnight makes no
// duplicates valid. No address is kept.
//
// # Choices where the documents are silent
//
//   - Readers are sent to the normalised URL (Link.TargetURL), because that is
//     what was matched: a spelling that a browser reads as another host cannot
//     get past the rules. OriginalURL shows what the creator gave.
//   - Converting one of the user's own redirect URLs returns its link, so that
//     converting twice is converting once; another user's link is refused
//     with already_affiliate_link, without naming it.
//   - http and https are two URLs, and so are two orders of a query.
//   - A deleted link comes back to life, with its id, when its URL is converted
//     again.
//   - A rule that the advertiser has already is a conflict; so is un-marking the
//     main rule without marking another.
//   - A block rule that asks to be the main one is kept as a plain block rule:
//     the contract's example does that, and the main rule is an allow rule.
//   - A creator on several blocklist entries of one advertiser (by user, tag and
//     client) is paid for old links only if every one of them validates clicks,
//     which only a user entry can.
//   - Clicks of deleted links, banned creators and deactivated advertisers are
//     kept as blocked, with the reason.
package links
