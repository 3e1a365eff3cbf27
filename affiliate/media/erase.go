package media

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// EraseFiles deletes the files that are kept here of media of a user, who has
// the handles. The media themselves stay. Doing it again changes nothing.
func (s *Service) EraseFiles(ctx context.Context, userID int64, handles []string) error {
	if s.blobs == nil {
		return nil
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
