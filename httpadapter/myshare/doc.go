// Package myshare serves the MyShare partner API: the catalogs, offers,
// landings and deals of the business partner that asks, and checks of promo
// codes and of partners' marks.
//
// A request shows its token bare in the Authorization header. Paths end in a
// slash or not, with the same answer. Errors are 400 {"field": ["…"]} for what
// is wrong with an input, else {"detail", "code"}; what is another business
// partner's is 404.
//
// Answers have the names of the document's examples. Inputs are also read in
// its other spellings: remuneration_percent for reward_percent, is_promo for
// is_promocode_allowed, disable for the opposite of is_active, localization,
// max_size_promo_code and min_size_promo_code, image for image_url.
//
// # Choices where the document is silent
//
//   - GET /catalog/ answers {"count", "next", "previous", "results"}, a page of
//     catalogs as GET /catalog/{id}/ shows them; page, size (100 at most, and by
//     default), is_published and is_available are its parameters.
//   - PUT needs the fields that the document requires, PATCH none; what either
//     leaves out stays as it is. Null gives an optional field its default.
//   - What answers show of a catalog and no documented field sets (category,
//     offer_geo, localizations, devices, cookies_storage_days, reward_type and
//     the bounds of promo codes) is written by the same names. A category is a
//     name; where the document has an id, it is one made of the name.
//   - A catalog_id in a body that is not one of the business partner's catalogs
//     is 404, as in a path.
//   - prices and cost are exact: more digits than the currency has are refused.
//     An offer has one of fix_remuneration and reward_percent; an update that
//     sends one of them replaces the other.
//   - A code or name that is taken is 400 on its field, as is an illegal move of a
//     deal, {"detail", "code": "illegal_transition"}, whose detail names both states.
//   - approval_rate is "b/d" (no data), is_confirmed false; promo_materials, rules and
//     text_rule are empty; reward goes from the least to the greatest share of
//     the offers. conversion_time is when the deal was created.
//   - check_promo without catalog_id looks in all catalogs of the business
//     partner; catalog_id may also be the catalog's UUID.
//   - The currencies are USD and RUB unless Services.Currencies says others.
package myshare
