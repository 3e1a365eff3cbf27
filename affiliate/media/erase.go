package media

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// EraseFiles deletes the files that are kept here of media of a user, and of those
// under its handles that are nobody's. The media themselves stay. Doing it again changes nothing.
func (s *Service) EraseFiles(ctx context.Context, userID int64, handles []string) error {
	if s.blobs == nil {
		return nil
	}
	for page, more := 1, true; more; page++ {
		found, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Medium], error) {
			return tx.Media().List(ctx, Filter{First: []int64{userID}}, affiliate.PageRequest{Number: page, Size: affiliate.MaxPageSize, Sort: affiliate.Sort{Column: "created_at"}})
		})
		if err != nil {
			return err
		}
		more = len(found.Items) == affiliate.MaxPageSize
		for _, m := range found.Items {
			if m.UserID != userID {
				more = false // behind the user's own come those of others
				break
			}
			if err := s.blobs.Delete(ctx, blobKey(m.ID)); err != nil {
				return err
			}
		}
	}
	for _, handle := range handles {
		for page := 1; ; page++ {
			found, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (affiliate.Page[Medium], error) {
				return tx.Media().List(ctx, Filter{Username: handle}, affiliate.PageRequest{Number: page, Size: affiliate.MaxPageSize})
			})
			if err != nil {
				return err
			}
			for _, m := range found.Items {
				if m.UserID != userID && m.UserID != 0 {
					continue
				}
				if err := s.blobs.Delete(ctx, blobKey(m.ID)); err != nil {
					return err
				}
			}
			if len(found.Items) < affiliate.MaxPageSize {
				break
			}
		}
	}
	return nil
}
