package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type userRow struct {
	bun.BaseModel `bun:"table:affiliate_users,alias:t"`

	ID                int64     `bun:"id,pk,autoincrement"`
	ClientID          int64     `bun:"client_id,nullzero"`
	Username          string    `bun:"username"`
	UsernameKey       string    `bun:"username_key"` // in the form that it is compared in
	DisplayName       string    `bun:"display_name"`
	Email             string    `bun:"email"`
	Phone             string    `bun:"phone"`
	Locale            string    `bun:"locale"`
	SocialTypes       []string  `bun:"social_types,array"`
	SocialIdentifiers []string  `bun:"social_identifiers,array"`
	TierID            int64     `bun:"tier_id,nullzero"`
	VerifiedAt        time.Time `bun:"verified_at,nullzero"`
	SuspendedAt       time.Time `bun:"suspended_at,nullzero"`
	CreatedAt         time.Time `bun:"created_at,nullzero"`
	UpdatedAt         time.Time `bun:"updated_at,nullzero"`
	FirstName         string    `bun:"first_name"`
	Surname           string    `bun:"surname"`
	Address           string    `bun:"address"`
	Postcode          string    `bun:"postcode"`
	City              string    `bun:"city"`
	Country           string    `bun:"country"`

	TagIDs []int64 `bun:"tag_ids,array,scanonly"`
}

var userTable = table[affiliate.User, userRow]{
	name: "affiliate_users", resource: "user", decides: true,
	row: newUserRow, entity: userRow.user,
	refers: func(r *userRow) []reference {
		return []reference{
			ref("client_id", "affiliate_clients", r.ClientID), ref("tag_ids", "affiliate_user_tags", r.TagIDs...),
			ref("tier_id", "affiliate_revenue_tiers", r.TierID),
		}
	},
	columns: `ARRAY(SELECT m.tag_id FROM {schema}affiliate_user_tag_members AS m
		WHERE m.user_id = t.id ORDER BY m.tag_id) AS tag_ids`,
	sort: map[string]string{
		"username": "t.username", "display_name": "t.display_name", "email": "t.email",
		"client_id": "t.client_id", "preferred_locale": "t.locale", "created_at": "t.created_at",
	},
}

var userTagMembers = idList{table: "affiliate_user_tag_members", owner: "user_id", member: "tag_id"}

func newUserRow(u affiliate.User) userRow {
	row := userRow{
		ID: u.ID, ClientID: u.ClientID, Username: u.Username, UsernameKey: affiliate.Fold(u.Username), DisplayName: u.DisplayName, Email: u.Email,
		Phone: u.Phone, Locale: u.Locale, TierID: u.TierID,
		SocialTypes: make([]string, len(u.SocialMedia)), SocialIdentifiers: make([]string, len(u.SocialMedia)),
		VerifiedAt: u.VerifiedAt, SuspendedAt: u.SuspendedAt,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, TagIDs: slices.Clone(u.TagIDs),
		FirstName: u.Profile.FirstName, Surname: u.Profile.Surname, Address: u.Profile.Address,
		Postcode: u.Profile.Postcode, City: u.Profile.City, Country: u.Profile.Country,
	}
	for i, s := range u.SocialMedia {
		row.SocialTypes[i], row.SocialIdentifiers[i] = s.Type, s.Identifier
	}
	return row
}

func (r userRow) user() affiliate.User {
	u := affiliate.User{
		ID: r.ID, ClientID: r.ClientID, Username: r.Username, DisplayName: r.DisplayName, Email: r.Email,
		Phone: r.Phone, Locale: r.Locale, TierID: r.TierID,
		VerifiedAt: utc(r.VerifiedAt), SuspendedAt: utc(r.SuspendedAt),
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt), TagIDs: noneAsNil(r.TagIDs),
		Profile: affiliate.Profile{
			FirstName: r.FirstName, Surname: r.Surname, Address: r.Address, Postcode: r.Postcode, City: r.City, Country: r.Country,
		},
	}
	for i, t := range r.SocialTypes { // a constraint keeps both of one length
		u.SocialMedia = append(u.SocialMedia, affiliate.SocialMedia{Type: t, Identifier: r.SocialIdentifiers[i]})
	}
	return u
}

type users struct{ repo[affiliate.User, userRow] }

func (r users) Add(ctx context.Context, v affiliate.User) (affiliate.User, error) {
	return change(ctx, r.u, "user", func(ctx context.Context) (affiliate.User, error) {
		if err := v.Validate(); err != nil {
			return affiliate.User{}, err
		}
		row := newUserRow(v)
		if err := userTable.insert(ctx, r.u, &row); err != nil {
			return affiliate.User{}, err
		}
		return row.user(), userTagMembers.add(ctx, r.u, row.ID, v.TagIDs)
	})
}

func (r users) ByUsername(ctx context.Context, clientID int64, username string) (affiliate.User, error) {
	return r.one(ctx, username, func(q filter) {
		q.Where("coalesce(t.client_id, 0) = ?", clientID)
		q.exactly("t.username_key", affiliate.Fold(username))
	})
}

func (r users) ByEmails(ctx context.Context, emails []string) ([]affiliate.User, error) {
	return r.many(ctx, func(q filter) {
		q.Where("t.email <> ''") // as the index says; nobody is found by having none
		q.amongTexts("t.email", emails)
	})
}

func (r users) BySocialMedia(ctx context.Context, identifiers []string) ([]affiliate.User, error) {
	return r.many(ctx, func(q filter) {
		q.Where("t.social_identifiers && ?::text[]", pgdialect.Array(storableOf(identifiers)))
	})
}

func (r users) Update(ctx context.Context, v affiliate.User) error {
	return exec(ctx, r.u, "user", func(ctx context.Context) error {
		if err := v.Validate(); err != nil {
			return err
		}
		row := newUserRow(v)
		if err := userTable.replace(ctx, r.u, &row, v.ID); err != nil {
			return err
		}
		return userTagMembers.replace(ctx, r.u, v.ID, v.TagIDs)
	})
}

func (r users) List(ctx context.Context, f affiliate.UserFilter, p affiliate.PageRequest) (affiliate.Page[affiliate.User], error) {
	return r.list(ctx, p, func(q filter) {
		q.query(f.Query, "t.id", part("t.username"), part("t.email"))
		q.equal("t.client_id", f.ClientID)
		if f.GroupID != 0 {
			q.Where("t.client_id IN (SELECT c.id FROM ? AS c WHERE c.group_id = ?)", r.u.name("affiliate_clients"), f.GroupID)
		}
		if f.AdvertiserIDs != nil {
			q.Where("t.id IN (SELECT a.user_id FROM ? AS a WHERE a.advertiser_id = ANY(?::bigint[]))",
				r.u.name("affiliate_user_advertisers"), pgdialect.Array(f.AdvertiserIDs))
		}
		if f.EmailPrefix != "" {
			q.holding("starts_with(t.email, ?)", f.EmailPrefix)
		}
		if f.Around != (affiliate.Around{}) {
			q.Where("(t.client_id = nullif(?, 0) OR t.id IN (SELECT a.user_id FROM ? AS a WHERE a.advertiser_id = ?))",
				f.Around.ClientID, r.u.name("affiliate_user_advertisers"), f.Around.AdvertiserID)
		}
		q.among("t.id", f.IDs)
		switch f.Status {
		case "":
		case affiliate.UserSuspended:
			q.Where("t.suspended_at IS NOT NULL")
		case affiliate.UserAccepted:
			q.Where("t.suspended_at IS NULL AND t.verified_at IS NOT NULL")
		case affiliate.UserUndecided:
			q.Where("t.suspended_at IS NULL AND t.verified_at IS NULL")
		default:
			q.none(true)
		}
	})
}

func (r users) Relate(ctx context.Context, userID, advertiserID int64, acts bool) error {
	return exec(ctx, r.u, "user", func(ctx context.Context) error {
		_, err := r.u.tx.ExecContext(ctx, `INSERT INTO ? AS t (user_id, advertiser_id, acts) VALUES (?, ?, ?)
			ON CONFLICT (advertiser_id, user_id) DO UPDATE SET acts = TRUE WHERE EXCLUDED.acts AND NOT t.acts`,
			r.u.name("affiliate_user_advertisers"), userID, advertiserID, acts)
		return err
	})
}

func (r users) ActingAt(ctx context.Context, userIDs, advertiserIDs []int64) ([]int64, error) {
	return read(ctx, r.u, "user", func(ctx context.Context) (ids []int64, err error) {
		err = r.u.tx.NewRaw(`SELECT DISTINCT user_id FROM ? WHERE user_id = ANY (?::bigint[]) AND advertiser_id = ANY (?::bigint[]) AND acts ORDER BY user_id`,
			r.u.name("affiliate_user_advertisers"), pgdialect.Array(userIDs), pgdialect.Array(advertiserIDs)).Scan(ctx, &ids)
		return ids, err
	})
}
