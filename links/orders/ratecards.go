package orders

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// SetRates gives a campaign rates by SKU and category, from now on, instead of
// those that it has; none takes them away. Orders after earlier clicks are paid
// by the rates of the time of their click.
func (s *Service) SetRates(ctx context.Context, offerID int64, rates []LineRate) (RateCard, error) {
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (RateCard, error) {
		o, err := tx.Offers().Get(ctx, offerID)
		if err != nil {
			return RateCard{}, err
		}
		if !s.viewer.ActsFor(o.AdvertiserID) {
			return RateCard{}, affiliate.NotFound("offer", offerID)
		}
		card, err := tx.RateCards().Add(ctx, RateCard{OfferID: offerID, Since: s.clock.Now(), Rates: rates})
		if err != nil {
			return card, err
		}
		return card, tx.Events().Add(ctx, EventRatesSet.On(offerID, card.Since).Of(o.AdvertiserID, 0))
	})
}

// RatesAt returns the rates by SKU and category that a campaign had at a time.
func (s *Service) RatesAt(ctx context.Context, offerID int64, at time.Time) ([]LineRate, error) {
	return affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]LineRate, error) {
		o, err := tx.Offers().Get(ctx, offerID)
		if err != nil {
			return nil, err
		}
		if !s.viewer.ActsFor(o.AdvertiserID) {
			return nil, affiliate.NotFound("offer", offerID)
		}
		cards, err := tx.RateCards().Holding(ctx, []CardAt{{offerID, at}})
		if err != nil {
			return nil, err
		}
		return cards[0].Rates, nil
	})
}
