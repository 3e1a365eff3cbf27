package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/affiliatekit/affiliatekit/affiliate"
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
