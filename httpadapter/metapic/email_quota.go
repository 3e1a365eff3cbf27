package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
)

// emailQuota is how many e-mails an advertiser may send today.
type emailQuota struct {
	Limit     int               `json:"limit"`
	Used      int               `json:"used"`
	Remaining int               `json:"remaining"`
	ResetsAt  laravel.Timestamp `json:"resets_at"`
}

func (s *server) getEmailQuota(ctx context.Context, p affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
}) (emailQuota, error) {
	q, err := s.mail.For(affiliate.ViewerOf(p)).Quota(ctx, in.AdvertiserID)
	return emailQuota{Limit: q.Limit, Used: q.Used, Remaining: q.Remaining, ResetsAt: laravel.Timestamp(q.ResetsAt)}, err
}
