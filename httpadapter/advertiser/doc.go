// Package advertiser is the dialect of the Metapic v1 API, with which an
// advertiser runs its store: campaigns and who takes part in them, its users
// and their tags, its profile. routes.go is the whole of it on one page.
//
// Every route names a store in its path. It is for the operator and for that
// store's representatives and agencies; to others of the dialect the answer is
// 403, and 404 for another tenant's store and for whatever is not the store's.
//
// Bodies are JSON, forms or multipart; lists come as lists or as texts, in the
// spellings that the document shows ("[1,2]", "['a@b.c']", [clicks,order_value]).
// Success is 200, also for what is made or deleted, with the thing in the body.
// Errors are {"message", "code"}, and with 422 "errors" by field. Lists have the
// flat pager, 15 items a page where the document does not say otherwise.
//
// # What the document leaves open
//
//   - PUT and PATCH change what is sent, whatever the table marks as required.
//     Null takes away what there need not be; of other fields it is as if they
//     had not been sent. Of the targets, the lists that are sent are replaced.
//   - cpc and cpa are the rates of the general traffic source, instagram_cpc and
//     instagram_cpa those of Instagram. An absent invoice rate shows as the
//     creator's. Amounts are minor units of the store's currency.
//   - from and to are days, to inclusive. None shows as 0000-00-00 00:00:00.
//   - priority shows as the number that was given, as 50 for campaigns that were
//     ranked in another way.
//   - A store's users are those who have a link or a participation there, and
//     those of its client: the first client of its group, made when there is
//     none. It changes users of its client alone; for others the answer is 403.
//   - sign_user_agreement is when the user was approved. Accounts of social media
//     have no ids of their own: an id is made of the user's and the position.
//   - deny leaves a participant in store_denied, which the example calls accepted.
//   - domains are to be the store's domains, the first one its main rule; rules
//     with a keyword and block rules stay. An empty list changes nothing, nor
//     does an empty list of categories.
//   - Statistics count valid clicks, and orders that earn or cost something, on
//     the day of the order. cost is that of clicks and orders together, and
//     invoice_cpc that of all clicks. An average is what creators earned per
//     click, rounded half-even to four digits. Users and links are those with a
//     click. instagram are the clicks of source 1, blog those of all others.
//     Days without events have zeros; without dates there are 30 days.
//   - tag_id in linkStats is the link's id; text is not kept and empty.
//   - ratio_to_eur is what orders.Options.Rates says, null when it does not know.
//     The symbol of a currency that the package has no name for is its code.
//   - A configuration of statistics without types shows all of them. Types are
//     sent as names in the query, or as numbers in the data, as answers have them.
//   - A store that registers gets a user of its own, who is its first
//     representative: by the identity that identity.Options.Registrar makes of the
//     password, or, without one, by an invite to the address. The password must
//     be sent twice.
//   - A store's media are those of its users that are shown. Their figures are
//     what the creator brought to the store in the last 30 days. A file that is
//     not kept here is a redirect (302) to where the network has it.
//   - How a user is paid may be sent bit by bit, and is kept as it is sent: a wrong
//     IBAN is found when money is to go there. Answers show it masked. An address
//     and a name that are missing are those of the profile.
//   - A voucher code that the store has given already is a validation error.
//   - store_provider_account_id, shopello, es and td_earning are constants of the
//     document.
package advertiser
