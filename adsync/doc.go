// Package adsync keeps what an account advertises: an inventory of items, and
// the campaigns, ad sets and ads that run at external services. Every change is
// noted as a job in the unit that made it, so that a worker can bring the
// services in step.
//
// # Records
//
//	account ─┬─ item                          (an item goes to the catalogs of the ad accounts)
//	         └─ ad account ── campaign ── ad set ─┬─ ad
//	                                              └─ ad template ── ad of each available item
//
// An [Account] is a customer, live or for tests. An [AdAccount] is its account
// at a service; it has the service's own id, and the operator connects and
// disconnects it. All other records have ids of this library, UUIDs of version
// 7, and may have a reference id, which is the account's own.
//
// A [Service] works for one viewer: see [Service.For] and [Service.ForAccount].
// Records of other accounts do not exist for it.
//
// # Inputs
//
// An input says only what is to change: see [Field]. SaveItem, SaveCampaign,
// SaveAdSet and SaveAd change the record that the input names by its id or
// reference id, and add one when there is none; SaveItem also finds an item by
// its fingerprint, see [Fingerprint]. The Update methods take an id or a
// reference id. An input that changes nothing writes nothing and queues nothing.
//
// # States of campaigns, ad sets and ads
//
//	         ┌────────┐
//	new ───► │ active │ ◄──┐
//	 │       └────────┘    │      both ───► removed   (final)
//	 │       ┌────────┐    │
//	 └─────► │ paused │ ◄──┘
//	         └────────┘
//
// Removing a record removes what is in it, in the same unit. A removed record is
// in no list, its reference id is free, and getting it by its id is ErrState
// with [CodeRemoved].
//
// # Availability of items
//
//	available ◄───► sold out (SoldOutAt says since when)
//
// Items are not removed: one that is not for sale is not available.
//
// # Ad templates
//
// A [Template] belongs to an account, a type of items and an ad set. Each
// available item of the type has one ad of it, with the item's values in place of
// <placeholders>: the identifiers of custom attributes, and ad_template_type,
// brand, condition, content_language, currency, description, image (the cover),
// link, model, price, reference_id, title and year. The ad follows its item:
//
//	item available ──► active ◄──► held (paused while the item is sold out or has another type)
//	                     │
//	                     └──► paused or removed by the account: it stays so
//
// An item that cannot fill in a template of its type is refused, and so is a
// template that an available item cannot fill in: the error names the identifier.
//
// # Jobs
//
//	         change
//	none ───────────► queued ◄──────────────┐ change, Requeue
//	 ▲                │    ▲                │
//	 │          Lease │    │ try again,     │
//	 │                ▼    │ lease ended    │
//	 └──── done ──── leased ───────────► parked
//
// A [Job] says that a record has changed, not how: whoever works on it reads the
// record as it is then. There is one job for a record and an ad account, so that
// the changes of a record are never out of order. A job waits until its parent
// has none. A change during a lease is not lost: the job is queued again. The
// records of test accounts have no jobs. See [JobRepository].
//
// # The engine
//
// An [Engine] works the jobs off. [Engine.Run] goes on until its context ends,
// [Engine.RunOnce] until no job is due. Any number of them may work on one store,
// in one process or in many. A [Driver] speaks to one service; the packages
// adsync/facebook and adsync/google have those of Facebook and Google.
//
//	lease ──► decide ──► note "sent" ──► driver ──┬─► applied ───────► done
//	(one unit of work, all or nothing)  (calls)   ├─► the service works on it: asked again with its handle
//	                                              ├─► it asks to wait: queued again, no attempt
//	                                              ├─► failed, may succeed: queued again after a back-off
//	                                              └─► refused, or out of attempts: parked with a reason
//
// It may be killed at any point. No service has idempotency keys, so an operation
// is noted before it is sent, and the note goes when its result is known. After a
// crash or a lost answer the note is still there: a create then looks for the
// object by its marker (see [Marker]) before it is sent again, and an update sends
// all fields, because what the service has is not known.
//
// A [Throttle] keeps the calls of a driver within the service's allowance.
//
// [Engine.Plan] shows what a sync would change, field by field, as a value and as
// text that reads like a diff. [Engine.Apply] does it, [Engine.DryRun] has the
// service check it. They compare with what was sent last; [Engine.Drift] compares
// that with what the service has, and [Engine.Refresh] takes the service's word for
// it, so that the next plan brings the service back to the records.
//
// # Choices where the documents are silent
//
//   - The fingerprint is not unique: two items that become alike by updates stay
//     two, and SaveItem finds the older one.
//   - A new record is active or paused; creating one as removed is refused.
//   - An ad account that was disconnected is in no list, and no new campaign can
//     be made at it. Its campaigns stay, and their jobs wait.
//   - Items go to the catalogs of the account's connected ad accounts. Without a
//     catalog they are kept here alone, and have no jobs. A change of
//     an item goes to a thousand catalogs of one account at most.
//   - An empty text is as good as null.
//   - Amounts of bids and budgets are in minor units of the ad account's currency.
//   - A custom attribute's identifier has the letters of a placeholder, and is on
//     an item once.
//   - A URL that begins with a placeholder takes its value as it is; anywhere else
//     in a URL a value is escaped.
//   - A record that is not active and lacks what its service needs (a budget, a
//     location) is not sent, and is no error: it is sent when it is active. One
//     that is at the service already is paused there all the same.
//   - A record whose parent is not at the service waits, and is queued when the
//     parent comes.
//   - A removed record is removed at the service too. That an object is gone there
//     already is as good as removing it.
//   - A worker has four fifths of its lease for its calls. A service that still
//     applies a create after that time, when another worker has looked for it in
//     vain, makes a second object: choose leases longer than the service's own
//     time-outs.
package adsync
