// Package metapic is the dialect of the Metapic v2/v3 API. routes.go is the
// whole of it on one page: each documented route, who may call it, and what
// answers; the other files are the shapes of requests and answers, one per
// resource. See package httpadapter for how to mount it.
//
// Bodies are JSON, forms or multipart, in the spellings that the document
// shows: lists as name[]=1 or as JSON text, booleans as 0 and 1. Errors are
// {"message", "code"}, and with 422 "errors" by field; codes are stable.
//
// # Who sees what
//
// A route with an advertiser in its path is for the operator and for that
// advertiser's representatives and agencies. A route with a user in its path is
// for that creator, the operator, and the user's client. To others within the
// dialect the answer is 403, and 404 for what is another tenant's. Lists have no
// tenant in their path and show each principal what is its own:
//
//	                 admin  representative, agency          creator             client
//	stores           all    its own                         visible to it       active, not hidden
//	groups           all    of its stores                   its client's        its own
//	clients          all    403                             403                 itself
//	users            all    who work with advertiser_id     itself              its own
//	user tags        all    for everyone, of its stores     for everyone        for everyone
//	store categories all    all                             all                 all
//	campaigns       all    of advertiser_id                that are for it     for everyone, for it
//	return ads      all    its own                         403                 403
//
// Principals of other dialects (partner, lists, sync, service) get 403, but for
// the categories and the open health route. A filter for what is another
// tenant's finds nothing; only the advertiser_id of a representative or an
// agency is 404 then, and a required one: without it, 422.
//
// Campaigns are for creators to see when one of their targets names the creator
// and the advertiser is visible to it; without budgets, targets, internal names
// and the rates that the advertiser pays. All else of a campaign (participants,
// comments, shared budgets, statistics, files) is for the operator and for who
// acts for its advertiser. join is for the creator itself alone; a creator and
// its client may ask by token whether it has a part. or_id goes around the other
// filters, and not around this.
//
// E-mail addresses are shown to whoever sees the user, in users-list when
// include[]=email asks for them, with three exceptions, where the field is null:
// a blocklist shows them of blocked users to the operator alone, and users-match
// shows representatives and agencies, who may look for any user, only the
// address that they asked with.
//
// # What the document leaves open
//
//   - Absent ids are 0 where the document shows a number: the client of a user
//     of none, the store of a tag of none, the id of an author without a user
//     account.
//   - blocklist-list has pages of 10; target_id of blocklist-remove is the id of
//     the entry.
//   - PUT and PATCH of a URL rule both change what is sent; keyword null takes
//     the keyword away.
//   - self-service-store-create takes domains as a list or as a list of lists;
//     who registers a store for an advertiser acts for it from then on.
//   - POST /v2/affiliate-links is for creators, and makes a link of their own.
//   - ignore_advertiser_visibility and advertiser_preview count for the operator
//     and for who acts for the advertiser; from others they are ignored.
//   - The deprecated routes say "Deprecation: true": the document does not tell
//     since when, which the date form of RFC 9745 would need. A dry run answers
//     the link with the id and mtpc_url null.
//   - users-match takes its input from the query or the body. Texts of digits
//     are ids; the answer shows ids as numbers.
//   - sort_by knows the columns that a list shows and the backends sort by.
//   - Money is taken in both forms everywhere: a whole number of minor units of
//     the advertiser's currency, or {"amount", "currency"} of major units.
//     Another currency is a validation error.
//   - PUT and PATCH of a campaign and of a return ad change what is sent; null
//     takes away what there need not be. A shared_budget without a
//     shared_budget_id changes the one that the campaign has, or makes one; with
//     one it is not looked at, because other campaigns may draw on that.
//     A campaign of a store_group_id is only for creators whose client is in that
//     group, whatever the targets are; store_group_ids finds it by that group and by
//     its advertiser's.
//   - Who acts for the advertiser sees the settings of a campaign in campaign-get
//     (name, limits, dates, targets, what is used), beside what is documented.
//   - include knows traffic_sources_costs in campaigns-list; as a list, an object
//     or a text. The id of such costs is made of the campaign's and the source's.
//   - A campaign or return ad without an image shows a blank one. Images are
//     served at /media/{key}; an upload is a multipart file, or base64 text in JSON.
//   - format works for offer-participants-list as well. A file has the whole
//     filtered list, by sort_by, as it was at one instant. Texts that begin like a
//     formula are quoted with '.
//   - start_date and end_date are both within their range, as UTC dates.
//   - links_created counts the links for the campaign's advertiser in the days of
//     the statistics, deleted ones too. order_value and what follows from it are 0
//     as long as no orders are kept.
//   - What a return ad brings is what the affiliate link behind it brings; one
//     without a link brings no orders.
//   - offer-user-activities-list answers the newest 100 (page takes more) and, to
//     others than the operator, marks them as read.
//   - Authors without a user account have the id null, and are known by their name.
//     So it is with every other id of what there is not: the client of a user, the
//     store of a tag, the group of a return ad.
//   - The three routes that make somebody of a session of the OpenID provider
//     (user-create, advertiser-representative-create, and the invites, for who is
//     nobody yet) are 403 for every other principal. The routes of the invites
//     take {"secret"} in the body or the query for an invite that was sent to
//     another address, and respond with what was accepted; without a pending
//     invite they are 404.
//   - Ory's webhooks respond with 204; an address of another user is 409.
//   - entrypoint: features names what is served here (campaigns, links, orders, media,
//     email, notifications). app is given back as it came.
//   - stores-by-categories leaves out categories without a store that the creator
//     sees, and stores without a category.
//   - user-media is for the operator and for clients. clicks, orders and cost are
//     those of the creator's links in the last 30 days. format csv and xlsx give the whole
//     filtered list.
//   - image-upload takes what campaign-image-upload takes, and responds with 201.
//     The key is of "tmp-…"; a campaign or return ad that is given it has a copy.
//     image_key is read by campaign-create and campaign-update too. Beyond the
//     bounds of offers.Options an image is 422; one that nothing uses is deleted
//     after a day, an upload too.
//   - The image of a campaign is shown within 800×500, that of a return ad within
//     2000×2000: /media/fill-800x500/{key} and /media/fit-2000x2000/{key}.
//   - notifications-proxy keeps path and query. It forwards no credentials and no
//     cookies, bodies of at most 1 MiB, and responses of at most 10 MiB within
//     30 s. Dots that would leave the configured path are 404.
//   - affiliate_link of a return ad is where it leads; its id is 0, and its
//     mtpc_url is the open route that counts the click. stats has one item.
package metapic
