package stats

import (
	"context"
	"errors"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Options sets up a Service. The zero Options work.
type Options struct {
	Clock affiliate.Clock // default: affiliate.SystemClock
}

// Service reads what happened, and keeps the questions that advertisers ask of it. It is safe for concurrent use.
type Service struct {
	store  Store
	clock  affiliate.Clock
	viewer affiliate.Viewer
}

// NewService returns the service over a store.
func NewService(store Store, o Options) (*Service, error) {
	if store == nil {
		return nil, errors.New("stats: NewService needs a store")
	}
	if o.Clock == nil {
		o.Clock = affiliate.SystemClock
	}
	return &Service{store: store, clock: o.Clock}, nil
}

// For returns the service for a viewer, who sees the statistics of its own: the
// advertisers that it acts for, or, for a creator, itself.
func (s *Service) For(v affiliate.Viewer) *Service {
	mine := *s
	mine.viewer = v
	return &mine
}

// In returns the service over another store of the same backend: one that is in
// a transaction of the host's.
func (s *Service) In(store Store) *Service {
	in := *s
	in.store = store
	return &in
}

// Query returns the rows of a filter, ordered as by Repository.Sum. Unless the
// viewer is the operator, f.AdvertiserIDs must name advertisers that it acts for,
// or f.UserIDs the creator that it is, and tags are for the operator (see Tags):
// everything else is ErrNotFound. Money of
// several advertisers is kept apart by currency.
func (s *Service) Query(ctx context.Context, f Filter, by Dimensions) ([]Row, error) {
	if err := s.admit(f, by); err != nil {
		return nil, err
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Row, error) {
		if len(f.AdvertiserIDs) == 1 {
			return tx.Stats().Sum(ctx, f, by)
		}
		return tx.Stats().Sum(ctx, f, by|ByCurrency)
	})
}

func (s *Service) admit(f Filter, by Dimensions) error {
	p := s.viewer.Principal()
	switch {
	case s.viewer.IsOperator():
	case f.TagIDs != nil || by&ByTag != 0: // Tags knows which of them the viewer sees
		return affiliate.NotFound("statistics", "")
	case p.Role == affiliate.RoleCreator && len(f.UserIDs) == 1 && f.UserIDs[0] == p.UserID:
	case len(f.AdvertiserIDs) > 0 && !slices.ContainsFunc(f.AdvertiserIDs, func(id int64) bool { return !s.viewer.ActsFor(id) }):
	default:
		return affiliate.NotFound("statistics", "")
	}
	return nil
}

// advertiser is ErrNotFound unless it exists and the viewer acts for it.
func (s *Service) advertiser(ctx context.Context, tx Tx, id int64) (affiliate.Advertiser, error) {
	if !s.viewer.ActsFor(id) {
		return affiliate.Advertiser{}, affiliate.NotFound("advertiser", id)
	}
	return tx.Advertisers().Get(ctx, id)
}

// Overview is what happened at an advertiser.
type Overview struct {
	Advertiser affiliate.Advertiser
	Series
	Creators int64 // with a valid click
	Links    int64 // with a valid click
}

// Overview returns what happened at an advertiser, by the given creators or, when
// userIDs is nil, by all (clicks-per-day, general-stats, orders-per-date).
func (s *Service) Overview(ctx context.Context, advertiserID int64, span Span, userIDs []int64) (Overview, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Overview, error) {
		var out Overview
		f, a, err := s.within(ctx, tx, advertiserID, span)
		if err != nil {
			return out, err
		}
		out.Advertiser, f.UserIDs = a, userIDs
		if out.Series, err = Days(ctx, tx, f); err != nil {
			return out, err
		}
		if out.Creators, err = tx.Stats().Distinct(ctx, f, ByUser); err != nil {
			return out, err
		}
		out.Links, err = tx.Stats().Distinct(ctx, f, ByLink)
		return out, err
	})
}

// CreatorRow is what a creator brought to an advertiser.
type CreatorRow struct {
	Row
	User affiliate.User
}

// Creators lists the creators of whom something happened at an advertiser within
// the span (user-stats). The query is the id of a creator or a part of its
// username; order names SortColumns(ByUser).
func (s *Service) Creators(ctx context.Context, advertiserID int64, span Span, query string, order []affiliate.Sort, p affiliate.PageRequest) (affiliate.Page[CreatorRow], error) {
	var out affiliate.Page[CreatorRow]
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[CreatorRow], error) {
		f, _, err := s.within(ctx, tx, advertiserID, span)
		if err != nil {
			return out, err
		}
		f.UserQuery = query
		page, err := tx.Stats().Page(ctx, f, ByUser, order, p)
		if err != nil {
			return out, err
		}
		users, err := usersOf(ctx, tx, page.Items)
		items := make([]CreatorRow, len(page.Items))
		for i, row := range page.Items {
			items[i] = CreatorRow{row, users[row.UserID]}
		}
		return affiliate.Page[CreatorRow]{Items: items, Total: page.Total}, err
	})
}

// usersOf returns the creators of rows, by id.
func usersOf(ctx context.Context, tx Tx, rows []Row) (map[int64]affiliate.User, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].UserID
	}
	users, err := tx.Users().GetMany(ctx, idset.Sorted(ids))
	out := make(map[int64]affiliate.User, len(users))
	for _, u := range users {
		out[u.ID] = u
	}
	return out, err
}

// TagSeries is what the creators with a user tag brought.
type TagSeries struct {
	Tag affiliate.UserTag
	Series
}

// MaxTags bounds the tags of one call of Tags.
const MaxTags = 100

// Tags returns what the creators who have the tags now brought to an advertiser,
// by the id of the tag (user-tag-stats). A creator with two tags counts in both.
// ErrInvalid with the field "tags" when one is unknown or another advertiser's,
// or there are more than MaxTags.
func (s *Service) Tags(ctx context.Context, advertiserID int64, span Span, tagIDs []int64) ([]TagSeries, error) {
	if tagIDs = idset.Sorted(tagIDs); len(tagIDs) > MaxTags {
		return nil, affiliate.Invalid("statistics", affiliate.FieldError{Field: "tags", Code: "too_many", Message: "must be at most 100"})
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]TagSeries, error) {
		f, _, err := s.within(ctx, tx, advertiserID, span)
		if err != nil {
			return nil, err
		}
		tags, err := tx.UserTags().GetMany(ctx, tagIDs)
		if err != nil {
			return nil, err
		}
		tags = slices.DeleteFunc(tags, func(t affiliate.UserTag) bool { return !s.sees(t, advertiserID) })
		if len(tags) != len(tagIDs) {
			return nil, affiliate.Invalid("statistics", affiliate.FieldError{Field: "tags", Code: "unknown_reference", Message: "must be the ids of user tags"})
		}
		f.TagIDs = tagIDs
		rows, err := tx.Stats().Sum(ctx, f, ByDay|ByTag)
		if err != nil {
			return nil, err
		}
		byTag := make(map[int64][]Row, len(tags))
		for _, row := range rows {
			byTag[row.TagID] = append(byTag[row.TagID], row)
		}
		out := make([]TagSeries, len(tags))
		for i, tag := range tags {
			out[i].Tag = tag
			if out[i].Series, err = fill(byTag[tag.ID], f.From, f.Until); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}

// sees reports whether the viewer of an advertiser's statistics may know the tag.
func (s *Service) sees(t affiliate.UserTag, advertiserID int64) bool {
	switch t.AccessLevel {
	case affiliate.AccessAll:
		return true
	case affiliate.AccessStore:
		return t.AdvertiserID == advertiserID
	}
	return s.viewer.IsOperator()
}
