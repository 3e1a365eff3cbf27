package media

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Tx gives the media and the repositories of the core, within one unit of work.
// What all repositories share stands in package affiliate.
type Tx interface {
	affiliate.Tx
	Media() Repository
}

// Store runs units of work.
type Store = affiliate.Store[Tx]

// Filter chooses media. Sort columns: published_at, created_at.
//
// First puts media of these users first, in the order of the list; those of
// others come behind, and those of one user in the order of the page request.
type Filter struct {
	Query      string // id, part of the username, or part of the network's id
	Type       string
	Visibility affiliate.Optional[Visibility]
	Favorite   affiliate.Optional[bool]
	Group      int64
	ClientID   int64            // of users of this client
	Around     affiliate.Around // of users around an advertiser
	Username   string           // exactly this one
	ExternalID string           // exactly this one
	Content    string           // content types that begin so: "image/"
	First      []int64          // see above; each id once
}

// Repository keeps media. ExternalID is unique per type.
type Repository interface {
	// AddOrGet adds the medium and returns it with true, or returns the one that
	// has its type and external id already with false, whatever m refers to.
	AddOrGet(ctx context.Context, m Medium) (Medium, bool, error)
	Get(ctx context.Context, id int64) (Medium, error)
	Update(ctx context.Context, m Medium) error
	List(ctx context.Context, f Filter, p affiliate.PageRequest) (affiliate.Page[Medium], error)
}
