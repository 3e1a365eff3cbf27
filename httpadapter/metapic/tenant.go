package metapic

import "github.com/affiliatekit/affiliatekit/affiliate"

// ids are ids to choose among. They are never nil: nil would choose all.
func ids(list ...int64) []int64 { return append([]int64{}, list...) }

// clientOf is the client to whose users a principal is bound; 0: to none's.
func clientOf(p affiliate.Principal) int64 {
	if p.Role == affiliate.RoleClient {
		return p.ClientID
	}
	return 0
}
