package offers

import (
	"slices"
	"strconv"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// TargetKind says by what a target names creators.
type TargetKind string

// The kinds of targets. TargetEveryone is what an offer without any other has.
const (
	TargetUser       TargetKind = "user"
	TargetTag        TargetKind = "tag"
	TargetGroup      TargetKind = "group"  // creators whose client is in the advertiser group
	TargetClient     TargetKind = "client" // creators of the client
	TargetTier       TargetKind = "tier"   // creators in the revenue tier
	TargetEmail      TargetKind = "email"
	TargetIdentifier TargetKind = "identifier" // of social media, on any network
	TargetEveryone   TargetKind = "everyone"
)

// Target is one thing that an offer is for: a kind and its value, which is an
// id in decimal form, or an e-mail or a handle in normal form.
type Target struct {
	Kind  TargetKind
	Value string // at most 255 characters; empty for everyone
}

// Targets are whom an offer is for: the union of all lists, or everyone when
// all are empty. Lists are ascending, each value once.
type Targets struct {
	UserIDs        []int64
	TagIDs         []int64
	StoreGroupIDs  []int64 // advertiser groups
	ClientIDs      []int64
	RevenueTierIDs []int64
	Emails         []string
	Identifiers    []string
}

// MaxTargets bounds the values that one call names, and those that an offer has.
const MaxTargets = 10_000

// maxTodoAtOnce bounds how many things to do one call gives to new participants
// in all: each participant has a list of its own.
const maxTodoAtOnce = 100_000

// len is how many values there are.
func (t Targets) len() int {
	return len(t.UserIDs) + len(t.TagIDs) + len(t.StoreGroupIDs) + len(t.ClientIDs) + len(t.RevenueTierIDs) + len(t.Emails) + len(t.Identifiers)
}

// IsZero reports whether there is none: everyone.
func (t Targets) IsZero() bool { return t.len() == 0 }

// idTarget is the target of an id.
func idTarget(kind TargetKind, id int64) Target {
	return Target{kind, strconv.FormatInt(id, 10)}
}

// list is t as it is kept: everyone when there is none.
func (t Targets) list() []Target {
	out := make([]Target, 0, t.len()+1)
	for _, ids := range []struct {
		kind TargetKind
		ids  []int64
	}{
		{TargetUser, t.UserIDs}, {TargetTag, t.TagIDs}, {TargetGroup, t.StoreGroupIDs},
		{TargetClient, t.ClientIDs}, {TargetTier, t.RevenueTierIDs},
	} {
		for _, id := range ids.ids {
			out = append(out, idTarget(ids.kind, id))
		}
	}
	for _, email := range t.Emails {
		out = append(out, Target{TargetEmail, email})
	}
	for _, identifier := range t.Identifiers {
		out = append(out, Target{TargetIdentifier, identifier})
	}
	if len(out) == 0 {
		out = append(out, Target{Kind: TargetEveryone})
	}
	return out
}

// add puts a kept target in its list.
func (t *Targets) add(target Target) {
	ids := map[TargetKind]*[]int64{
		TargetUser: &t.UserIDs, TargetTag: &t.TagIDs, TargetGroup: &t.StoreGroupIDs,
		TargetClient: &t.ClientIDs, TargetTier: &t.RevenueTierIDs,
	}
	switch target.Kind {
	case TargetEveryone:
	case TargetEmail:
		t.Emails = append(t.Emails, target.Value)
	case TargetIdentifier:
		t.Identifiers = append(t.Identifiers, target.Value)
	default:
		if list := ids[target.Kind]; list != nil {
			if id, err := strconv.ParseInt(target.Value, 10, 64); err == nil {
				*list = append(*list, id)
			}
		}
	}
}

// reaches reports whether an offer of the store group (0: of none) can be for a
// user that the targets name.
func reaches(storeGroupID int64, named []Target) bool {
	return storeGroupID == 0 || slices.Contains(named, idTarget(TargetGroup, storeGroupID))
}

// targetsOf are the targets that name the user, whose client is in the
// advertiser group (0: in none): an offer is for the user when it has one of
// them.
func targetsOf(u affiliate.User, clientGroupID int64) []Target {
	out := make([]Target, 0, 6+len(u.TagIDs)+len(u.SocialMedia))
	out = append(out, Target{Kind: TargetEveryone}, idTarget(TargetUser, u.ID))
	for _, id := range u.TagIDs {
		out = append(out, idTarget(TargetTag, id))
	}
	for _, named := range [...]struct {
		kind TargetKind
		id   int64
	}{{TargetGroup, clientGroupID}, {TargetClient, u.ClientID}, {TargetTier, u.TierID}} {
		if named.id != 0 {
			out = append(out, idTarget(named.kind, named.id))
		}
	}
	if u.Email != "" {
		out = append(out, Target{TargetEmail, u.Email})
	}
	for i, m := range u.SocialMedia {
		if !slices.ContainsFunc(u.SocialMedia[:i], func(before affiliate.SocialMedia) bool { return before.Identifier == m.Identifier }) {
			out = append(out, Target{TargetIdentifier, m.Identifier})
		}
	}
	return out
}

// Validate checks what every backend refuses.
func (t Target) Validate() error {
	var v affiliate.Validation
	switch t.Kind {
	case TargetUser, TargetTag, TargetGroup, TargetClient, TargetTier, TargetEmail, TargetIdentifier:
		v.Text("value", t.Value, 1, 255)
	case TargetEveryone:
		v.Check(t.Value == "", "value", "not_empty", "must be empty for everyone")
	default:
		v.Add("kind", "unknown_kind", "must be a known kind of target")
	}
	return v.Err("target")
}
