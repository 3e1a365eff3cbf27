package orders

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// newCollector is the collector of an advertiser that set nothing up.
func newCollector(advertiserID int64, key string, now time.Time) Collector {
	return Collector{
		AdvertiserID: advertiserID, OrganizationID: advertiserID, ProgramID: advertiserID, EventID: 1, ActivationKey: key,
		WindowDays: DefaultWindow, HoldDays: DefaultHold, Prefer: LastClick, CreatedAt: now, UpdatedAt: now,
	}
}

// Collector returns how an advertiser's orders come in
// (order-collector-sales-pixel-get, order-collector-get). The first call makes
// it, with default settings and a new activation key.
func (s *Service) Collector(ctx context.Context, advertiserID int64) (Collector, error) {
	if err := s.actsFor(advertiserID); err != nil {
		return Collector{}, err
	}
	found, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) ([]Collector, error) {
		return tx.Collectors().ByAdvertisers(ctx, []int64{advertiserID})
	})
	if err != nil || len(found) == 1 {
		return first(found), err
	}
	key, err := s.newKey()
	if err != nil {
		return Collector{}, err
	}
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Collector, error) {
		return s.collector(ctx, tx, advertiserID, key)
	})
}

func first(list []Collector) Collector {
	if len(list) == 0 {
		return Collector{}
	}
	return list[0]
}

// collector returns the advertiser's collector, or makes one. Its organization
// is the advertiser's id, unless another advertiser brought that number along;
// then it is the next free one of a range of our own.
func (s *Service) collector(ctx context.Context, tx Tx, advertiserID int64, key string) (Collector, error) {
	if _, err := tx.Advertisers().Get(ctx, advertiserID); err != nil {
		return Collector{}, err
	}
	c := newCollector(advertiserID, key, s.clock.Now())
	for {
		_, err := tx.Collectors().ByOrganization(ctx, c.OrganizationID)
		if errors.Is(err, affiliate.ErrNotFound) {
			break
		}
		if err != nil {
			return Collector{}, err
		}
		c.OrganizationID += organizationStep
	}
	kept, added, err := tx.Collectors().AddOrGet(ctx, c)
	if err != nil || !added {
		return kept, err
	}
	return kept, tx.Events().Add(ctx, kept.event(EventCollectorSet))
}

// organizationStep is how far organizations are apart that stand for one id.
const organizationStep = 1_000_000_000

// CollectorChange says what to change of a collector. What is absent stays.
type CollectorChange struct {
	OrganizationID affiliate.Optional[int64]
	ProgramID      affiliate.Optional[int64]
	EventID        affiliate.Optional[int64]
	WindowDays     affiliate.Optional[int]
	HoldDays       affiliate.Optional[int]
	Prefer         affiliate.Optional[Preference]
	VoucherFirst   affiliate.Optional[bool]
	NetOfTax       affiliate.Optional[bool]
	NetOfShipping  affiliate.Optional[bool]
	HMACKey        affiliate.Optional[[]byte] // empty: none
	SignedOnly     affiliate.Optional[bool]
}

// UpdateCollector changes how an advertiser's orders come in. Orders that are
// there keep what they were priced by.
func (s *Service) UpdateCollector(ctx context.Context, advertiserID int64, change CollectorChange) (Collector, error) {
	if err := s.actsFor(advertiserID); err != nil {
		return Collector{}, err
	}
	key, err := s.newKey()
	if err != nil {
		return Collector{}, err
	}
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Collector, error) {
		c, err := s.collector(ctx, tx, advertiserID, key)
		if err != nil {
			return c, err
		}
		set(&c.OrganizationID, change.OrganizationID)
		set(&c.ProgramID, change.ProgramID)
		set(&c.EventID, change.EventID)
		set(&c.WindowDays, change.WindowDays)
		set(&c.HoldDays, change.HoldDays)
		set(&c.Prefer, change.Prefer)
		set(&c.VoucherFirst, change.VoucherFirst)
		set(&c.NetOfTax, change.NetOfTax)
		set(&c.NetOfShipping, change.NetOfShipping)
		set(&c.HMACKey, change.HMACKey)
		set(&c.SignedOnly, change.SignedOnly)
		c.UpdatedAt = s.clock.Now()
		if err := tx.Collectors().Update(ctx, c); err != nil {
			return c, err
		}
		return c, tx.Events().Add(ctx, c.event(EventCollectorSet))
	})
}

func set[V any](to *V, from affiliate.Optional[V]) {
	if from.Set {
		*to = from.Value
	}
}

// RotateKeys gives a collector a new activation key and a new key to sign
// reports with: the old ones are worth nothing from then on.
func (s *Service) RotateKeys(ctx context.Context, advertiserID int64) (Collector, error) {
	if err := s.actsFor(advertiserID); err != nil {
		return Collector{}, err
	}
	key, err := s.newKey()
	if err != nil {
		return Collector{}, err
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(s.opts.Random, secret); err != nil {
		return Collector{}, affiliate.Unavailable(err)
	}
	return affiliate.Write(ctx, s.units(), func(ctx context.Context, tx Tx) (Collector, error) {
		c, err := s.collector(ctx, tx, advertiserID, key)
		if err != nil {
			return c, err
		}
		c.ActivationKey, c.HMACKey, c.UpdatedAt = key, secret, s.clock.Now()
		if err := tx.Collectors().Update(ctx, c); err != nil {
			return c, err
		}
		return c, tx.Events().Add(ctx, c.event(EventKeysRotated))
	})
}

// Activate returns the collector with the activation key, which is the
// credential (tracking-plugin-activate), and the advertiser's currency. Another
// key is ErrInvalid "unknown_key" with the field "metapic_activation_key".
func (s *Service) Activate(ctx context.Context, key string) (Collector, affiliate.Currency, error) {
	var c Collector
	currency, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (_ affiliate.Currency, err error) {
		if c, err = tx.Collectors().ByActivationKey(ctx, key); err != nil {
			return "", err
		}
		a, err := tx.Advertisers().Get(ctx, c.AdvertiserID)
		return a.Currency, err
	})
	if errors.Is(err, affiliate.ErrNotFound) {
		err = affiliate.Invalid("collector", affiliate.FieldError{Field: "metapic_activation_key", Code: "unknown_key", Message: "must be the activation key of an advertiser"})
	}
	if err != nil {
		return Collector{}, "", err
	}
	return c, currency, nil
}

// Beacon is a report as it comes in over HTTP, from a browser or a server. Who
// sends it is not known; a signature proves the advertiser.
type Beacon struct {
	Report         // its AdvertiserID is ignored
	OrganizationID int64
	EventID        int64
	// Signed is the text that Signature is the HMAC-SHA256 of, under the
	// collector's key. Signature is its hexadecimal form; empty: not signed.
	Signed    string
	Signature string
}

// Collect takes in a report for the advertiser that its organization names.
// Whoever knows the numbers may send one, unless the collector wants
// signatures; so it is a call for the operator's service. An unknown
// organization or event, and a bad signature, are ErrInvalid.
func (s *Service) Collect(ctx context.Context, b Beacon) (Order, Outcome, error) {
	c, err := affiliate.Read(ctx, s.units(), func(ctx context.Context, tx Tx) (Collector, error) {
		return tx.Collectors().ByOrganization(ctx, b.OrganizationID)
	})
	if errors.Is(err, affiliate.ErrNotFound) {
		return Order{}, Refused, s.refused(affiliate.Invalid("order", affiliate.FieldError{Field: "organization", Code: "unknown_organization", Message: "must be the number of an advertiser"}))
	}
	if err != nil {
		return Order{}, Refused, err
	}
	var v affiliate.Validation
	v.Check(b.EventID == c.EventID, "event", "unknown_event", "must be the event of the organization")
	v.Check(b.Signature != "" || !c.SignedOnly, "signature", "required", "is required")
	v.Check(b.Signature == "" || c.signed(b.Signed, b.Signature), "signature", "bad_signature", "must be the HMAC-SHA256 of the report under the advertiser's key")
	if err := v.Err("order"); err != nil {
		return Order{}, Refused, s.refused(err)
	}
	b.AdvertiserID = c.AdvertiserID
	return s.Report(ctx, b.Report)
}

// refused tells the observer of a report that did not come as far as an order.
func (s *Service) refused(err error) error {
	s.opts.Observe(Refused, "")
	return err
}

// Sign is the signature of a text under a key, as Collect expects it.
func Sign(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func (c Collector) signed(text, signature string) bool {
	given, err := hex.DecodeString(signature)
	if err != nil || len(c.HMACKey) == 0 {
		return false
	}
	mac := hmac.New(sha256.New, c.HMACKey)
	mac.Write([]byte(text))
	return hmac.Equal(mac.Sum(nil), given)
}
