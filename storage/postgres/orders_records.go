package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

type voucherRow struct {
	bun.BaseModel `bun:"table:affiliate_vouchers,alias:t"`

	ID           int64     `bun:"id,pk,autoincrement"`
	AdvertiserID int64     `bun:"advertiser_id"`
	UserID       int64     `bun:"user_id"`
	Code         string    `bun:"code"`
	Key          string    `bun:"key"`
	CreatedAt    time.Time `bun:"created_at,nullzero"`
	UpdatedAt    time.Time `bun:"updated_at,nullzero"`
}

var voucherTable = table[orders.Voucher, voucherRow]{
	name: "affiliate_vouchers", resource: "voucher",
	refers: func(r *voucherRow) []reference {
		return []reference{ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID), ref("user_id", "affiliate_users", r.UserID)}
	},
	row: func(v orders.Voucher) voucherRow {
		return voucherRow{ID: v.ID, AdvertiserID: v.AdvertiserID, UserID: v.UserID, Code: v.Code, Key: orders.FoldCode(v.Code), CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt}
	},
	entity: func(r voucherRow) orders.Voucher {
		return orders.Voucher{ID: r.ID, AdvertiserID: r.AdvertiserID, UserID: r.UserID, Code: r.Code, CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt)}
	},
}

type vouchers struct{ u *unit }

func (r vouchers) Add(ctx context.Context, v orders.Voucher) (orders.Voucher, error) {
	return voucherTable.add(ctx, r.u, v)
}

func (r vouchers) Get(ctx context.Context, id int64) (orders.Voucher, error) {
	return voucherTable.get(ctx, r.u, id)
}

func (r vouchers) Find(ctx context.Context, keys []orders.VoucherKey) ([]orders.Voucher, error) {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k orders.VoucherKey) bool { return !storable(k.Code) })
	return voucherTable.many(ctx, r.u, func(q filter) {
		q.Where("(t.advertiser_id, t.key) IN (SELECT * FROM unnest(?::bigint[], ?::text[]))",
			column(keys, func(k *orders.VoucherKey) int64 { return k.AdvertiserID }),
			column(keys, func(k *orders.VoucherKey) string { return orders.FoldCode(k.Code) }))
	})
}

func (r vouchers) ByUser(ctx context.Context, advertiserID, userID int64) ([]orders.Voucher, error) {
	return voucherTable.many(ctx, r.u, func(q filter) { q.Where("t.advertiser_id = ? AND t.user_id = ?", advertiserID, userID) })
}

func (r vouchers) Delete(ctx context.Context, id int64) error {
	return voucherTable.delete(ctx, r.u, id)
}

type collectorRow struct {
	bun.BaseModel `bun:"table:affiliate_order_collectors,alias:t"`

	ID             int64             `bun:"id,pk,autoincrement"`
	AdvertiserID   int64             `bun:"advertiser_id"`
	OrganizationID int64             `bun:"organization_id"`
	ProgramID      int64             `bun:"program_id"`
	EventID        int64             `bun:"event_id"`
	ActivationKey  string            `bun:"activation_key"`
	WindowDays     int               `bun:"window_days"`
	HoldDays       int               `bun:"hold_days"`
	Prefer         orders.Preference `bun:"prefer"`
	VoucherFirst   bool              `bun:"voucher_first"`
	NetOfTax       bool              `bun:"net_of_tax"`
	NetOfShipping  bool              `bun:"net_of_shipping"`
	HMACKey        []byte            `bun:"hmac_key,nullzero"`
	SignedOnly     bool              `bun:"signed_only"`
	CreatedAt      time.Time         `bun:"created_at,nullzero"`
	UpdatedAt      time.Time         `bun:"updated_at,nullzero"`
}

var collectorTable = table[orders.Collector, collectorRow]{
	name: "affiliate_order_collectors", resource: "collector",
	row: func(c orders.Collector) collectorRow {
		return collectorRow{
			ID: c.ID, AdvertiserID: c.AdvertiserID, OrganizationID: c.OrganizationID, ProgramID: c.ProgramID, EventID: c.EventID,
			ActivationKey: c.ActivationKey, WindowDays: c.WindowDays, HoldDays: c.HoldDays, Prefer: c.Prefer, VoucherFirst: c.VoucherFirst,
			NetOfTax: c.NetOfTax, NetOfShipping: c.NetOfShipping, HMACKey: noneAsNil(c.HMACKey), SignedOnly: c.SignedOnly,
			CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		}
	},
	entity: func(r collectorRow) orders.Collector {
		return orders.Collector{
			ID: r.ID, AdvertiserID: r.AdvertiserID, OrganizationID: r.OrganizationID, ProgramID: r.ProgramID, EventID: r.EventID,
			ActivationKey: r.ActivationKey, WindowDays: r.WindowDays, HoldDays: r.HoldDays, Prefer: r.Prefer, VoucherFirst: r.VoucherFirst,
			NetOfTax: r.NetOfTax, NetOfShipping: r.NetOfShipping, HMACKey: r.HMACKey, SignedOnly: r.SignedOnly,
			CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
		}
	},
}

type collectors struct{ u *unit }

func (r collectors) AddOrGet(ctx context.Context, c orders.Collector) (orders.Collector, bool, error) {
	c.ID = 0
	return addOrGet(ctx, r.u, collectorTable, c, collectorTable.row(c), "affiliate_order_collectors_advertiser_id_key",
		func(q filter) { q.Where("t.advertiser_id = ?", c.AdvertiserID) })
}

func (r collectors) ByAdvertisers(ctx context.Context, advertiserIDs []int64) ([]orders.Collector, error) {
	return read(ctx, r.u, collectorTable.resource, func(ctx context.Context) ([]orders.Collector, error) {
		return collectorTable.prepared(ctx, r.u, "t.advertiser_id = ANY(?0::bigint[])", advertiserIDs)
	})
}

func (r collectors) ByOrganization(ctx context.Context, organizationID int64) (orders.Collector, error) {
	return collectorTable.one(ctx, r.u, organizationID, func(q filter) { q.Where("t.organization_id = ?", organizationID) })
}

func (r collectors) ByActivationKey(ctx context.Context, key string) (orders.Collector, error) {
	return collectorTable.one(ctx, r.u, "", func(q filter) { q.exactly("t.activation_key", key) })
}

func (r collectors) LongestWindow(ctx context.Context) (int, error) {
	return read(ctx, r.u, "collector", func(ctx context.Context) (days int, err error) {
		err = r.u.tx.NewRaw(`SELECT coalesce(max(window_days), 0) FROM ?`, r.u.name(collectorTable.name)).Scan(ctx, &days)
		return days, err
	})
}

func (r collectors) Update(ctx context.Context, c orders.Collector) error {
	return collectorTable.update(ctx, r.u, c, c.ID)
}

type rateCardRow struct {
	bun.BaseModel `bun:"table:affiliate_rate_cards,alias:t"`

	ID      int64     `bun:"id,pk,autoincrement"`
	OfferID int64     `bun:"offer_id"`
	Since   time.Time `bun:"since"`
	Rates   lineRates `bun:"rates"`
}

// lineRates keeps rates as JSON: as strings, which stay exact whoever reads them.
type lineRates struct{ rates []orders.LineRate }

type lineRateJSON struct {
	SKU        string  `json:"sku,omitempty"`
	Category   string  `json:"category,omitempty"`
	CPA        string  `json:"cpa"`
	InvoiceCPA *string `json:"invoice_cpa,omitempty"`
}

// Value is for the driver.
func (c lineRates) Value() (driver.Value, error) {
	out := make([]lineRateJSON, len(c.rates))
	for i, r := range c.rates {
		out[i] = lineRateJSON{r.SKU, r.Category, r.CPA.String(), rateText(r.InvoiceCPA)}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan is for the driver.
func (c *lineRates) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var in []lineRateJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: rates: %w", errCorrupt, err)
	}
	rates := make([]orders.LineRate, len(in))
	for i, j := range in {
		var cpa rateColumn
		if err := cpa.Scan(j.CPA); err != nil {
			return err
		}
		invoice, err := optionalRate(j.InvoiceCPA)
		if err != nil {
			return err
		}
		rates[i] = orders.LineRate{SKU: j.SKU, Category: j.Category, CPA: cpa.Rate, InvoiceCPA: invoice}
	}
	c.rates = rates
	return nil
}

var rateCardTable = table[orders.RateCard, rateCardRow]{
	name: "affiliate_rate_cards", resource: "rate_card",
	row: func(c orders.RateCard) rateCardRow {
		return rateCardRow{ID: c.ID, OfferID: c.OfferID, Since: c.Since, Rates: lineRates{slices.Clone(c.Rates)}}
	},
	entity: func(r rateCardRow) orders.RateCard {
		return orders.RateCard{ID: r.ID, OfferID: r.OfferID, Since: utc(r.Since), Rates: noneAsNil(r.Rates.rates)}
	},
}

type rateCards struct{ u *unit }

func (r rateCards) Add(ctx context.Context, c orders.RateCard) (orders.RateCard, error) {
	return rateCardTable.add(ctx, r.u, c)
}

// holding finds the card of each ask by one step into the index.
const holding = `SELECT a.n, c.id, c.offer_id, c.since, c.rates
	FROM unnest(?::bigint[], ?::timestamptz[]) WITH ORDINALITY AS a (offer_id, at, n)
	JOIN LATERAL (SELECT * FROM ? AS k WHERE k.offer_id = a.offer_id AND k.since <= a.at
		ORDER BY k.since DESC, k.id DESC LIMIT 1) AS c ON TRUE`

func (r rateCards) Holding(ctx context.Context, asks []orders.CardAt) ([]orders.RateCard, error) {
	return read(ctx, r.u, "rate_card", func(ctx context.Context) ([]orders.RateCard, error) {
		out := make([]orders.RateCard, len(asks))
		if len(asks) == 0 {
			return out, nil
		}
		var rows []struct {
			N int `bun:"n"`
			rateCardRow
		}
		err := r.u.tx.NewRaw(holding, column(asks, func(a *orders.CardAt) int64 { return a.OfferID }),
			column(asks, func(a *orders.CardAt) time.Time { return a.At }), r.u.name(rateCardTable.name)).Scan(ctx, &rows)
		for _, row := range rows {
			out[row.N-1] = rateCardTable.entity(row.rateCardRow)
		}
		return out, err
	})
}

type oneTimeRow struct {
	bun.BaseModel `bun:"table:affiliate_one_time_payments,alias:t"`

	ID           int64              `bun:"id,pk,autoincrement"`
	AdvertiserID int64              `bun:"advertiser_id"`
	UserID       int64              `bun:"user_id"`
	Comment      string             `bun:"comment"`
	Amount       int64              `bun:"amount"`
	Currency     affiliate.Currency `bun:"currency"`
	Date         time.Time          `bun:"payment_date"`
	CreatedAt    time.Time          `bun:"created_at,nullzero"`
}

var oneTimeTable = table[orders.Payment, oneTimeRow]{
	name: "affiliate_one_time_payments", resource: "payment",
	refers: func(r *oneTimeRow) []reference {
		return []reference{ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID), ref("user_id", "affiliate_users", r.UserID)}
	},
	row: func(p orders.Payment) oneTimeRow {
		return oneTimeRow{ID: p.ID, AdvertiserID: p.AdvertiserID, UserID: p.UserID, Comment: p.Comment, Amount: p.Amount.Minor(), Currency: p.Amount.Currency(), Date: p.Date, CreatedAt: p.CreatedAt}
	},
	entity: func(r oneTimeRow) orders.Payment {
		return orders.Payment{ID: r.ID, AdvertiserID: r.AdvertiserID, UserID: r.UserID, Comment: r.Comment, Amount: affiliate.NewMoney(r.Amount, r.Currency), Date: utc(r.Date), CreatedAt: utc(r.CreatedAt)}
	},
	sort: map[string]string{"created_at": "t.created_at", "payment_date": "t.payment_date"},
}

type oneTimePayments struct{ u *unit }

func (r oneTimePayments) Add(ctx context.Context, p orders.Payment) (orders.Payment, error) {
	return oneTimeTable.add(ctx, r.u, p)
}

func (r oneTimePayments) List(ctx context.Context, f orders.PaymentFilter, p affiliate.PageRequest) (affiliate.Page[orders.Payment], error) {
	return oneTimeTable.list(ctx, r.u, p, func(q filter) {
		q.among("t.advertiser_id", f.AdvertiserIDs)
		q.equal("t.user_id", f.UserID)
	})
}
