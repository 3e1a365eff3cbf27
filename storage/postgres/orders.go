package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links/orders"
)

// Orders returns the store of package orders, nil
// when Options.Without has the domain.
func (db *DB) Orders() orders.Store {
	if db.lacks(Orders) {
		return nil
	}
	return ordersView{view[orders.Tx]{db, func(u *unit) orders.Tx { return ordersTx{linksTx{offersTx{statsTx{coreTx{u}}}}} }}}
}

type ordersView struct{ view[orders.Tx] }

// Record runs fn isolated by the locks that it takes.
func (v ordersView) Record(ctx context.Context, fn func(context.Context, orders.Tx) error) error {
	return v.run(ctx, recordUnit, fn)
}

// ordersTx is the transaction of package orders.
type ordersTx struct{ linksTx }

var _ orders.Tx = ordersTx{}

func (t ordersTx) Orders() orders.OrderRepository            { return orderRepository(t.coreTx) }
func (t ordersTx) Refunds() orders.RefundRepository          { return refunds(t.coreTx) }
func (t ordersTx) Vouchers() orders.VoucherRepository        { return vouchers(t.coreTx) }
func (t ordersTx) Collectors() orders.CollectorRepository    { return collectors(t.coreTx) }
func (t ordersTx) RateCards() orders.RateCardRepository      { return rateCards(t.coreTx) }
func (t ordersTx) OneTimePayments() orders.PaymentRepository { return oneTimePayments(t.coreTx) }

type orderRow struct {
	bun.BaseModel `bun:"table:affiliate_orders,alias:t"`

	ID            int64                   `bun:"id,pk,autoincrement"`
	AdvertiserID  int64                   `bun:"advertiser_id"`
	Number        string                  `bun:"number"`
	At            time.Time               `bun:"at"`
	Currency      affiliate.Currency      `bun:"currency"`
	Value         amountColumn            `bun:"value"`
	Tax           optionalAmount          `bun:"tax"`
	Shipping      optionalAmount          `bun:"shipping"`
	Lines         orderLines              `bun:"lines"`
	Voucher       string                  `bun:"voucher"`
	ClickIDs      string                  `bun:"click_ids"`
	Source        orders.Source           `bun:"source"`
	ClickID       uuid.UUID               `bun:"click_id,nullzero"`
	VoucherID     int64                   `bun:"voucher_id,nullzero"`
	LinkID        int64                   `bun:"link_id,nullzero"`
	UserID        int64                   `bun:"user_id,nullzero"`
	OfferID       int64                   `bun:"offer_id,nullzero"`
	Traffic       affiliate.TrafficSource `bun:"traffic"`
	Terms         string                  `bun:"terms"`
	NetOfTax      bool                    `bun:"net_of_tax"`
	NetOfShipping bool                    `bun:"net_of_shipping"`
	Rate          amountColumn            `bun:"rate"`
	MoneyCurrency affiliate.Currency      `bun:"money_currency"`
	Earning       int64                   `bun:"earning"`
	Cost          int64                   `bun:"cost"`
	Reason        string                  `bun:"reason"`
	Refunded      amountColumn            `bun:"refunded"`
	Revision      int64                   `bun:"revision"`
	HoldUntil     time.Time               `bun:"hold_until"`
	DeclinedAt    time.Time               `bun:"declined_at,nullzero"`
	ApprovedAt    time.Time               `bun:"approved_at,nullzero"`
	CreatedAt     time.Time               `bun:"created_at"`
	UpdatedAt     time.Time               `bun:"updated_at,nullzero"`
}

func newOrderRow(o orders.Order) orderRow {
	ids := make([]string, len(o.ClickIDs))
	for i, id := range o.ClickIDs {
		ids[i] = id.String()
	}
	return orderRow{
		ID: o.ID, AdvertiserID: o.AdvertiserID, Number: o.Number, At: o.At, Currency: o.Currency,
		Value: amountColumn{o.Value}, Tax: optionalAmount{o.Tax}, Shipping: optionalAmount{o.Shipping}, Lines: orderLines{o.Lines},
		Voucher: o.Voucher, ClickIDs: strings.Join(ids, ","), Source: o.Source, ClickID: o.ClickID, VoucherID: o.VoucherID,
		LinkID: o.LinkID, UserID: o.UserID, OfferID: o.OfferID, Traffic: o.Traffic, Terms: o.Terms,
		NetOfTax: o.NetOfTax, NetOfShipping: o.NetOfShipping, Rate: amountColumn{o.Rate},
		MoneyCurrency: o.Earning.Currency(), Earning: o.Earning.Minor(), Cost: o.Cost.Minor(), Reason: o.Reason,
		Refunded: amountColumn{o.Refunded}, Revision: o.Revision, HoldUntil: o.HoldUntil, DeclinedAt: o.DeclinedAt, ApprovedAt: o.ApprovedAt,
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
}

func (r orderRow) order() orders.Order {
	return orders.Order{
		ID: r.ID, AdvertiserID: r.AdvertiserID, Number: r.Number, At: utc(r.At), Currency: r.Currency,
		Value: r.Value.Decimal, Tax: r.Tax.Optional, Shipping: r.Shipping.Optional, Lines: r.Lines.lines,
		Voucher: r.Voucher, ClickIDs: uuidsOf(r.ClickIDs), Source: r.Source, ClickID: r.ClickID, VoucherID: r.VoucherID,
		LinkID: r.LinkID, UserID: r.UserID, OfferID: r.OfferID, Traffic: r.Traffic, Terms: r.Terms,
		NetOfTax: r.NetOfTax, NetOfShipping: r.NetOfShipping, Rate: r.Rate.Decimal,
		Earning: affiliate.NewMoney(r.Earning, r.MoneyCurrency), Cost: affiliate.NewMoney(r.Cost, r.MoneyCurrency), Reason: r.Reason,
		Refunded: r.Refunded.Decimal, Revision: r.Revision, HoldUntil: utc(r.HoldUntil), DeclinedAt: utc(r.DeclinedAt), ApprovedAt: utc(r.ApprovedAt),
		CreatedAt: utc(r.CreatedAt), UpdatedAt: utc(r.UpdatedAt),
	}
}

// uuidsOf reads ids with commas between. They were written from UUIDs.
func uuidsOf(text string) []uuid.UUID {
	var out []uuid.UUID
	for s := range strings.SplitSeq(text, ",") {
		if id, err := uuid.Parse(s); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// amountColumn keeps a decimal as a numeric, and reads it in its shortest form.
type amountColumn struct{ decimal.Decimal }

// Value is for the driver.
func (c amountColumn) Value() (driver.Value, error) { return c.String(), nil }

// Scan is for the driver.
func (c *amountColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("%w: decimal: %w", errCorrupt, err)
	}
	c.Decimal = orders.Exact(d)
	return nil
}

// optionalAmount is an amountColumn that may be NULL.
type optionalAmount struct {
	affiliate.Optional[decimal.Decimal]
}

// Value is for the driver.
func (c optionalAmount) Value() (driver.Value, error) {
	if !c.Set {
		return nil, nil
	}
	return amountColumn{c.Optional.Value}.Value()
}

// Scan is for the driver.
func (c *optionalAmount) Scan(src any) error {
	c.Optional = affiliate.Optional[decimal.Decimal]{}
	if src == nil {
		return nil
	}
	var a amountColumn
	err := a.Scan(src)
	c.Optional = affiliate.Some(a.Decimal)
	return err
}

// orderLines keeps lines as JSON: decimals as strings, which stay exact whoever
// reads them.
type orderLines struct{ lines []orders.Line }

type lineJSON struct {
	SKU              string          `json:"sku,omitempty"`
	Category         string          `json:"category,omitempty"`
	Quantity         int64           `json:"quantity"`
	Value            decimal.Decimal `json:"value"`
	CPA              *string         `json:"cpa,omitempty"`
	InvoiceCPA       *string         `json:"invoice_cpa,omitempty"`
	Refunded         decimal.Decimal `json:"refunded"`
	RefundedQuantity int64           `json:"refunded_quantity,omitempty"`
}

// Value is for the driver.
func (c orderLines) Value() (driver.Value, error) {
	out := make([]lineJSON, len(c.lines))
	for i, l := range c.lines {
		out[i] = lineJSON{l.SKU, l.Category, l.Quantity, l.Value, rateText(l.CPA), rateText(l.InvoiceCPA), l.Refunded, l.RefundedQuantity}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// rateText is an optional rate in JSON.
func rateText(o affiliate.Optional[affiliate.Rate]) *string {
	if !o.Set {
		return nil
	}
	s := o.Value.String()
	return &s
}

// Scan is for the driver.
func (c *orderLines) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var in []lineJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: lines: %w", errCorrupt, err)
	}
	c.lines = nil
	for _, j := range in {
		l := orders.Line{
			SKU: j.SKU, Category: j.Category, Quantity: j.Quantity, Value: orders.Exact(j.Value),
			Refunded: orders.Exact(j.Refunded), RefundedQuantity: j.RefundedQuantity,
		}
		if l.CPA, err = optionalRate(j.CPA); err != nil {
			return err
		}
		if l.InvoiceCPA, err = optionalRate(j.InvoiceCPA); err != nil {
			return err
		}
		c.lines = append(c.lines, l)
	}
	return nil
}

var orderTable = table[orders.Order, orderRow]{
	name: "affiliate_orders", resource: "order", row: newOrderRow, entity: orderRow.order,
	refers: func(r *orderRow) []reference {
		return []reference{
			ref("advertiser_id", "affiliate_advertisers", r.AdvertiserID), ref("user_id", "affiliate_users", r.UserID),
			ref("offer_id", "affiliate_offers", r.OfferID), ref("link_id", "affiliate_links", r.LinkID),
		}
	},
	sort: map[string]string{"order_at": "t.at", "created_at": "t.created_at", "updated_at": "t.updated_at"},
}

type orderRepository struct{ u *unit }

// AddMissing inserts in the order of the keys, so that two units that add some
// of the same numbers wait for one another and do not deadlock.
func (r orderRepository) AddMissing(ctx context.Context, list ...orders.Order) ([]orders.Order, error) {
	return change(ctx, r.u, "order", func(ctx context.Context) ([]orders.Order, error) {
		var rows []orderRow
		for _, o := range list {
			if err := o.Validate(); err != nil {
				return nil, err
			}
			o.ID = 0
			rows = append(rows, newOrderRow(o))
		}
		if len(rows) == 0 {
			return nil, nil
		}
		slices.SortStableFunc(rows, func(a, b orderRow) int {
			return orders.OrderKey{AdvertiserID: a.AdvertiserID, Number: a.Number}.Compare(orders.OrderKey{AdvertiserID: b.AdvertiserID, Number: b.Number})
		})
		var added []orderRow
		err := orderTable.referring(ctx, r.u, func() error {
			return r.u.tx.NewInsert().Model(&rows).ModelTableExpr(r.u.from(orderTable.name)).
				On("CONFLICT ON CONSTRAINT affiliate_orders_number_key DO NOTHING").Returning("*").Scan(ctx, &added)
		}, rows...)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(added, func(a, b orderRow) int { return int(a.ID - b.ID) })
		return orderTable.entities(added), nil
	})
}

func (r orderRepository) Get(ctx context.Context, id int64) (orders.Order, error) {
	return orderTable.get(ctx, r.u, id)
}

func (r orderRepository) Find(ctx context.Context, keys []orders.OrderKey) ([]orders.Order, error) {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k orders.OrderKey) bool { return !storable(k.Number) })
	return read(ctx, r.u, orderTable.resource, func(ctx context.Context) ([]orders.Order, error) {
		return orderTable.prepared(ctx, r.u, "(t.advertiser_id, t.number) IN (SELECT * FROM unnest(?0::bigint[], ?1::text[]))",
			values(keys, func(k *orders.OrderKey) int64 { return k.AdvertiserID }), values(keys, func(k *orders.OrderKey) string { return k.Number }))
	})
}

// Lock locks in the order of the ids. In a serializable unit the orders are
// also written, unchanged, as by the Lock of links.
func (r orderRepository) Lock(ctx context.Context, ids []int64) ([]orders.Order, error) {
	return change(ctx, r.u, "order", func(ctx context.Context) ([]orders.Order, error) {
		var rows []orderRow
		err := orderTable.selectFrom(r.u, &rows).Where("t.id = ANY(?::bigint[])", pgdialect.Array(ids)).OrderExpr("t.id").For("NO KEY UPDATE").Scan(ctx)
		if err == nil && r.u.kind == writeUnit {
			_, err = r.u.tx.ExecContext(ctx, `UPDATE ? SET terms = terms WHERE id = ANY(?::bigint[])`, r.u.name(orderTable.name), pgdialect.Array(ids))
		}
		return orderTable.entities(rows), err
	})
}

// LockDue passes over what is locked, where it may: that is another sweep's, or is
// being changed right now.
func (r orderRepository) LockDue(ctx context.Context, now time.Time, limit int) ([]orders.Order, error) {
	return change(ctx, r.u, "order", func(ctx context.Context) ([]orders.Order, error) {
		if limit <= 0 {
			return nil, nil
		}
		var rows []orderRow
		err := orderTable.selectFrom(r.u, &rows).Where("t.approved_at IS NULL AND t.declined_at IS NULL AND t.hold_until <= ?", now).
			OrderExpr("t.hold_until, t.id").Limit(int64(limit)).For("NO KEY UPDATE" + r.u.passingOver()).Scan(ctx)
		return orderTable.entities(rows), err
	})
}

func (r orderRepository) Update(ctx context.Context, o orders.Order) error {
	return exec(ctx, r.u, "order", func(ctx context.Context) error {
		if err := o.Validate(); err != nil {
			return err
		}
		row := newOrderRow(o)
		res, err := r.u.tx.NewUpdate().Model(&row).ModelTableExpr(r.u.from(orderTable.name)).
			Where("t.id = ? AND t.advertiser_id = ?", o.ID, o.AdvertiserID).Where("t.number = ?", o.Number).Exec(ctx)
		if err := foundOne(res, err, "order", o.ID); err == nil || !errors.Is(err, affiliate.ErrNotFound) {
			return err
		}
		if _, err := orderTable.find(ctx, r.u, o.ID, func(q filter) { q.Where("t.id = ?", o.ID) }); err != nil {
			return err
		}
		return affiliate.Invalid("order", affiliate.FieldError{Field: "number", Code: "immutable", Message: "must stay what it is"})
	})
}

func (r orderRepository) List(ctx context.Context, f orders.OrderFilter, p affiliate.PageRequest) (affiliate.Page[orders.Order], error) {
	return orderTable.list(ctx, r.u, p, func(q filter) {
		q.among("t.advertiser_id", f.AdvertiserIDs)
		q.equal("t.user_id", f.UserID)
		q.equal("t.offer_id", f.OfferID)
		q.between("t.at", f.From, f.Until)
		switch f.Status {
		case "":
		case orders.Declined:
			q.Where("t.declined_at IS NOT NULL")
		case orders.Pending:
			q.Where("t.declined_at IS NULL AND t.hold_until > ?", f.Now)
		case orders.Approved:
			q.Where("t.declined_at IS NULL AND t.hold_until <= ?", f.Now)
		default:
			q.none(true)
		}
	})
}

func (r orderRepository) Scan(ctx context.Context, after int64, limit int) ([]orders.Order, error) {
	return orderTable.after(ctx, r.u, after, limit)
}

type refundRow struct {
	bun.BaseModel `bun:"table:affiliate_order_refunds,alias:t"`

	ID            int64              `bun:"id,pk,autoincrement"`
	OrderID       int64              `bun:"order_id"`
	Reference     string             `bun:"reference"`
	Value         amountColumn       `bun:"value"`
	Lines         refundLines        `bun:"lines"`
	MoneyCurrency affiliate.Currency `bun:"money_currency"`
	Earning       int64              `bun:"earning"`
	Cost          int64              `bun:"cost"`
	EntryID       int64              `bun:"entry_id,nullzero"`
	At            time.Time          `bun:"at"`
	CreatedAt     time.Time          `bun:"created_at"`
}

// refundLines keeps what a refund takes from lines as JSON.
type refundLines struct{ lines []orders.RefundLine }

type refundLineJSON struct {
	Line     int             `json:"line"`
	Quantity int64           `json:"quantity,omitempty"`
	Value    decimal.Decimal `json:"value"`
}

// Value is for the driver.
func (c refundLines) Value() (driver.Value, error) {
	out := make([]refundLineJSON, len(c.lines))
	for i, l := range c.lines {
		out[i] = refundLineJSON(l)
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan is for the driver.
func (c *refundLines) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var in []refundLineJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: lines: %w", errCorrupt, err)
	}
	c.lines = nil
	for _, l := range in {
		c.lines = append(c.lines, orders.RefundLine{Line: l.Line, Quantity: l.Quantity, Value: orders.Exact(l.Value)})
	}
	return nil
}

var refundTable = table[orders.Refund, refundRow]{
	name: "affiliate_order_refunds", resource: "refund",
	refers: func(r *refundRow) []reference {
		return []reference{ref("order_id", "affiliate_orders", r.OrderID), ref("entry_id", "affiliate_entries", r.EntryID)}
	},
	row: func(r orders.Refund) refundRow {
		return refundRow{
			ID: r.ID, OrderID: r.OrderID, Reference: r.Reference, Value: amountColumn{r.Value}, Lines: refundLines{slices.Clone(r.Lines)},
			MoneyCurrency: r.Earning.Currency(), Earning: r.Earning.Minor(), Cost: r.Cost.Minor(), EntryID: r.EntryID,
			At: r.At, CreatedAt: r.CreatedAt,
		}
	},
	entity: func(r refundRow) orders.Refund {
		return orders.Refund{
			ID: r.ID, OrderID: r.OrderID, Reference: r.Reference, Value: r.Value.Decimal, Lines: noneAsNil(r.Lines.lines),
			Earning: affiliate.NewMoney(r.Earning, r.MoneyCurrency), Cost: affiliate.NewMoney(r.Cost, r.MoneyCurrency), EntryID: r.EntryID,
			At: utc(r.At), CreatedAt: utc(r.CreatedAt),
		}
	},
}

type refunds struct{ u *unit }

func (r refunds) Add(ctx context.Context, refund orders.Refund) (orders.Refund, error) {
	return refundTable.add(ctx, r.u, refund)
}

func (r refunds) ByOrders(ctx context.Context, orderIDs []int64) ([]orders.Refund, error) {
	return refundTable.many(ctx, r.u, func(q filter) { q.among("t.order_id", nonNil(orderIDs)) })
}
