package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/offers"
)

// idList is a list of ids that an aggregate keeps in a table of its own, where
// foreign keys hold them.
type idList struct{ table, owner, member string }

func (l idList) add(ctx context.Context, u *unit, owner int64, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	_, err := u.tx.ExecContext(ctx, `INSERT INTO ? (?, ?) SELECT ?, unnest(?::bigint[]) ON CONFLICT DO NOTHING`,
		u.name(l.table), bun.Ident(l.owner), bun.Ident(l.member), owner, pgdialect.Array(members))
	return err
}

// replace leaves alone what stays: it is one statement when nothing is new.
func (l idList) replace(ctx context.Context, u *unit, owner int64, members []int64) error {
	_, err := u.tx.ExecContext(ctx, `DELETE FROM ? WHERE ? = ? AND ? <> ALL(?::bigint[])`,
		u.name(l.table), bun.Ident(l.owner), owner, bun.Ident(l.member), pgdialect.Array(nonNil(members)))
	if err != nil {
		return err
	}
	return l.add(ctx, u, owner, members)
}

// costsColumn keeps costs as JSON: rates as strings, which stay exact whoever
// reads them, and what is absent left out.
type costsColumn struct{ costs []affiliate.Costs }

type costsJSON struct {
	Source     affiliate.TrafficSource `json:"source"`
	CPC        *int64                  `json:"cpc,omitempty"` // minor units
	CPA        *string                 `json:"cpa,omitempty"`
	InvoiceCPC *int64                  `json:"invoice_cpc,omitempty"` // minor units
	InvoiceCPA *string                 `json:"invoice_cpa,omitempty"`
}

// Value is for the driver.
func (c costsColumn) Value() (driver.Value, error) {
	b, err := json.Marshal(c.rows())
	return string(b), err
}

func (c costsColumn) rows() []costsJSON {
	amount := func(o affiliate.Optional[int64]) *int64 {
		if !o.Set {
			return nil
		}
		return &o.Value
	}
	rate := func(o affiliate.Optional[affiliate.Rate]) *string {
		if !o.Set {
			return nil
		}
		s := o.Value.String()
		return &s
	}
	out := make([]costsJSON, len(c.costs))
	for i, v := range c.costs {
		out[i] = costsJSON{v.Source, amount(v.CPC), rate(v.CPA), amount(v.InvoiceCPC), rate(v.InvoiceCPA)}
	}
	return out
}

// Scan is for the driver.
func (c *costsColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var in []costsJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: costs: %w", errCorrupt, err)
	}
	c.costs = make([]affiliate.Costs, len(in))
	for i, v := range in {
		if c.costs[i], err = v.cost(); err != nil {
			return err
		}
	}
	return nil
}

func (j costsJSON) cost() (affiliate.Costs, error) {
	c := affiliate.Costs{Source: j.Source}
	if j.CPC != nil {
		c.CPC = affiliate.Some(*j.CPC)
	}
	if j.InvoiceCPC != nil {
		c.InvoiceCPC = affiliate.Some(*j.InvoiceCPC)
	}
	var err error
	if c.CPA, err = optionalRate(j.CPA); err != nil {
		return c, err
	}
	c.InvoiceCPA, err = optionalRate(j.InvoiceCPA)
	return c, err
}

func optionalRate(s *string) (affiliate.Optional[affiliate.Rate], error) {
	if s == nil {
		return affiliate.Optional[affiliate.Rate]{}, nil
	}
	var r rateColumn
	err := r.Scan(*s)
	return affiliate.Some(r.Rate), err
}

// rateColumn keeps a rate as a numeric.
type rateColumn struct{ affiliate.Rate }

// Value is for the driver.
func (r rateColumn) Value() (driver.Value, error) { return r.String(), nil }

// Scan is for the driver.
func (r *rateColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	if r.Rate, err = affiliate.ParseRate("rate", text); err != nil {
		return fmt.Errorf("%w: rate %q", errCorrupt, text)
	}
	return nil
}

func textOf(src any) (string, error) {
	switch v := src.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("%w: %T instead of text", errCorrupt, src)
}

// hash keeps 32 bytes as bytea.
type hash [32]byte

// Value is for the driver.
func (h hash) Value() (driver.Value, error) { return h[:], nil }

// Scan is for the driver.
func (h *hash) Scan(src any) error { return fixedBytes(h[:], src) }

// fixedBytes copies bytes of exactly that length.
func fixedBytes(dst []byte, src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(dst) {
		return fmt.Errorf("%w: %T instead of %d bytes", errCorrupt, src, len(dst))
	}
	copy(dst, b)
	return nil
}

func pointer[V any](o affiliate.Optional[V]) *V {
	if !o.Set {
		return nil
	}
	return &o.Value
}

func optional[V any](p *V) affiliate.Optional[V] {
	if p == nil {
		return affiliate.Optional[V]{}
	}
	return affiliate.Some(*p)
}

// offerCosts keeps costs as costsColumn does, with the creator's part.
type offerCosts struct{ costs []offers.Costs }

type offerCostsJSON struct {
	costsJSON
	UserRevenue *string `json:"user_revenue,omitempty"`
}

// Value is for the driver.
func (c offerCosts) Value() (driver.Value, error) {
	plain := costsColumn{make([]affiliate.Costs, len(c.costs))}
	for i, v := range c.costs {
		plain.costs[i] = v.Costs
	}
	rows := plain.rows()
	out := make([]offerCostsJSON, len(rows))
	for i, v := range c.costs {
		out[i].costsJSON = rows[i]
		if v.UserRevenue.Set {
			s := v.UserRevenue.Value.String()
			out[i].UserRevenue = &s
		}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan is for the driver.
func (c *offerCosts) Scan(src any) error {
	text, err := textOf(src)
	if err != nil || text == "[]" {
		return err
	}
	var in []offerCostsJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: costs: %w", errCorrupt, err)
	}
	c.costs = make([]offers.Costs, len(in))
	for i, v := range in {
		if c.costs[i].Costs, err = v.cost(); err != nil {
			return err
		}
		if c.costs[i].UserRevenue, err = optionalRate(v.UserRevenue); err != nil {
			return err
		}
	}
	return nil
}

// instant writes a time into a statement that takes no arguments.
func instant(t time.Time) string {
	return "'" + utc(t).Format("2006-01-02 15:04:05.000000") + "+00'::timestamptz"
}

// seconds is a duration as it is kept; the domain has whole ones only.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func duration(seconds int64) time.Duration { return time.Duration(seconds) * time.Second }

// pricesColumn keeps prices as JSON: amounts as strings, which stay exact
// whoever reads them.
type pricesColumn struct{ prices []affiliate.Money }

type priceJSON struct {
	Minor    int64              `json:"minor,string"`
	Currency affiliate.Currency `json:"currency"`
}

// Value is for the driver.
func (c pricesColumn) Value() (driver.Value, error) {
	out := make([]priceJSON, len(c.prices))
	for i, p := range c.prices {
		out[i] = priceJSON{p.Minor(), p.Currency()}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// Scan is for the driver.
func (c *pricesColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	var in []priceJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return fmt.Errorf("%w: prices: %w", errCorrupt, err)
	}
	c.prices = make([]affiliate.Money, len(in))
	for i, p := range in {
		c.prices[i] = affiliate.NewMoney(p.Minor, p.Currency)
	}
	return nil
}

// exactColumn keeps a decimal as a numeric, and reads it in its shortest form.
type exactColumn struct{ decimal.Decimal }

// Value is for the driver.
func (c exactColumn) Value() (driver.Value, error) { return c.String(), nil }

// Scan is for the driver.
func (c *exactColumn) Scan(src any) error {
	text, err := textOf(src)
	if err != nil {
		return err
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return fmt.Errorf("%w: decimal: %w", errCorrupt, err)
	}
	c.Decimal = deals.Exact(d)
	return nil
}

// noneAsNil makes an empty list nil, as every list that comes out is.
func noneAsNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// utc is the time as it is kept: in UTC, cut to microseconds. What is sent is cut on its
// way; what a unit returns of a time that it has sent, or read, is cut by this.
func utc(t time.Time) time.Time {
	return t.UTC().Truncate(time.Microsecond)
}

// ceil is the first microsecond not before t: comparing kept times with it
// decides as comparing them with t does.
func ceil(t time.Time) time.Time {
	if cut := utc(t); !cut.Equal(t) {
		return cut.Add(time.Microsecond)
	}
	return t
}
