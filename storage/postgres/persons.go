package postgres

import (
	"context"

	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
)

type persons struct{ u *unit }

var _ identity.PersonRepository = persons{}

// Remove is written by hand: it is one statement a table.
func (r persons) Remove(ctx context.Context, p identity.Person) error {
	return exec(ctx, r.u, "person", func(ctx context.Context) error {
		if err := p.Validate(); err != nil {
			return err
		}
		name := affiliate.ErasedName(p.UserID)
		handles := pgdialect.Array(append([]string{}, p.Handles...))
		for _, s := range []struct {
			table, text string
			args        []any
		}{
			{"affiliate_tokens", `DELETE FROM ? WHERE user_id = ?`, []any{p.UserID}},
			{"affiliate_accounts", `UPDATE ? SET subject = 'erased-account-' || id, email = '', name = '', role = '', user_id = NULL,
				utm_source = '', utm_medium = '', utm_campaign = '', utm_term = '', utm_content = '' WHERE user_id = ?`, []any{p.UserID}},
			{"affiliate_accounts", `UPDATE ? SET email = '', name = '' WHERE email = ? AND email <> ''`, []any{p.Email}},
			{"affiliate_invites", `UPDATE ? SET email = ? WHERE email = ? AND email <> ''`, []any{p.ErasedEmail(), p.Email}},
			{"affiliate_invites", `UPDATE ? SET by_name = ? WHERE by = ?`, []any{name, p.UserID}},
			{"affiliate_blocklist", `UPDATE ? SET created_by_name = ? WHERE created_by = ?`, []any{name, p.UserID}},
			{"affiliate_offers", `UPDATE ? SET created_by_name = ? WHERE created_by = ?`, []any{name, p.UserID}},
			{"affiliate_offer_comments", `UPDATE ? SET author_name = ?, author_key = '' WHERE author = ?`, []any{name, p.UserID}},
			{"affiliate_offer_activities", `UPDATE ? SET actor_name = ? WHERE actor = ?`, []any{name, p.UserID}},
			{"affiliate_return_ads", `UPDATE ? SET author_name = ? WHERE author = ?`, []any{name, p.UserID}},
			{"affiliate_offer_targets", `UPDATE ? SET value = ? WHERE kind = 'email' AND value = ? AND value <> ''`, []any{p.ErasedEmail(), p.Email}},
			{"affiliate_offer_targets", `UPDATE ? SET value = ? || '-' || array_position(?::text[], value) WHERE kind = 'identifier' AND value = ANY(?::text[])`, []any{name, handles, handles}},
			{"affiliate_media", `UPDATE ? SET username = ?, href = '', content_type = '', user_id = NULL WHERE user_id = ? OR username = ANY(?::text[])`, []any{name, p.UserID, handles}},
			{"affiliate_idempotency_keys", `DELETE FROM ? WHERE ? <> '' AND position(convert_to(?, 'UTF8') IN body) > 0`, []any{p.Email, p.Email}},
		} {
			if r.u.db.lacks(domainOf(s.table)) {
				continue
			}
			if _, err := r.u.tx.ExecContext(ctx, s.text, append([]any{r.u.name(s.table)}, s.args...)...); err != nil {
				return err
			}
		}
		return nil
	})
}
