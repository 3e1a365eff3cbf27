package metapic

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// userKey is an id, also as digits, or an e-mail address. A text that is
// neither is taken for an address that nobody has.
type userKey struct{ affiliate.UserKey }

// UnmarshalWire takes an integer or a text.
func (k *userKey) UnmarshalWire(v wire.Value) error {
	id, ok := v.Int()
	switch {
	case ok && strconv.FormatInt(id, 10) == v.Text():
		k.ID = id
	case v.Kind() == wire.Text && v.Text() != "":
		k.Email = strings.Clone(v.Text())
	default:
		return errors.New("must be a user id or an e-mail address")
	}
	return nil
}

// MarshalJSON shows the key as it was meant: ids as numbers.
func (k userKey) MarshalJSON() ([]byte, error) {
	if k.Email != "" {
		return json.Marshal(k.Email)
	}
	return json.Marshal(k.ID)
}

type matchUsers struct {
	Keys    []userKey `query:"user_emails_or_ids" json:"user_emails_or_ids" required:"true" max:"1000"`
	GroupID int64     `query:"advertiser_group_id" json:"advertiser_group_id" min:"1"`
}

type matchedUsers struct {
	Matched   []matchedUser `json:"matched"`
	Unmatched []userKey     `json:"unmatched"`
}

type matchedUser struct {
	Input userKey `json:"input"`
	User  user    `json:"user"`
}

// matchUsers finds an admin any user, a client its own, and a representative or
// an agency any: those it wants to work with. It learns nobody's e-mail address
// by it: the address is shown where it was what was asked for.
func (s *server) matchUsers(ctx context.Context, _ affiliate.Principal, in matchUsers) (matchedUsers, error) {
	keys := make([]affiliate.UserKey, len(in.Keys))
	for i, k := range in.Keys {
		keys[i] = k.UserKey
	}
	found, err := s.core.MatchUsers(ctx, keys, 0, in.GroupID)
	if err != nil {
		return matchedUsers{}, err
	}
	out := matchedUsers{Matched: []matchedUser{}, Unmatched: []userKey{}}
	for i, m := range found {
		if !m.Found {
			out.Unmatched = append(out.Unmatched, in.Keys[i])
			continue
		}
		out.Matched = append(out.Matched, matchedUser{Input: in.Keys[i], User: showUser(m.User, true)})
	}
	return out, nil
}

type changeUsers struct {
	UserIDs []int64 `json:"user_ids" required:"true" max:"1000"`
}

type approvedUsers struct {
	Approved  []int64 `json:"approved"`
	Unchanged []int64 `json:"unchanged"`
	NotFound  []int64 `json:"not_found"`
}

func (s *server) approveUsers(ctx context.Context, _ affiliate.Principal, in changeUsers) (approvedUsers, error) {
	c, err := s.core.ApproveUsers(ctx, in.UserIDs, 0)
	return approvedUsers{laravel.OrEmpty(c.Changed), laravel.OrEmpty(c.Unchanged), laravel.OrEmpty(c.NotFound)}, err
}

type bannedUsers struct {
	Banned    []int64 `json:"banned"`
	Unchanged []int64 `json:"unchanged"`
	NotFound  []int64 `json:"not_found"`
}

func (s *server) banUsers(ctx context.Context, _ affiliate.Principal, in changeUsers) (bannedUsers, error) {
	c, err := s.core.BanUsers(ctx, in.UserIDs, 0)
	return bannedUsers{laravel.OrEmpty(c.Changed), laravel.OrEmpty(c.Unchanged), laravel.OrEmpty(c.NotFound)}, err
}
