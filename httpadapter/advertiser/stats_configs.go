package advertiser

import (
	"context"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

// statsConfig is a question about user tags that a store keeps.
type statsConfig struct {
	ID      int64           `json:"id"`
	StoreID int64           `json:"store_id"`
	Name    string          `json:"name"`
	Data    statsConfigData `json:"data"`
	Default int             `json:"default"`
	timestamps
}

type statsConfigData struct {
	From  string  `json:"from,omitempty"`
	To    string  `json:"to,omitempty"`
	Tags  []int64 `json:"tags"`
	Types []int64 `json:"types"` // of a question without types: all
}

func showStatsConfig(c stats.Config) statsConfig {
	shown := statsConfig{
		ID: c.ID, StoreID: c.AdvertiserID, Name: c.Name, Data: statsConfigData{From: dateText(c.From), To: dateText(c.To), Tags: c.TagIDs},
		Default: flag(c.Default), timestamps: stamps(c.CreatedAt, c.UpdatedAt),
	}
	measures := c.Measures
	if len(measures) == 0 {
		measures = stats.Measures()
	}
	shown.Data.Types = laravel.ShowAll(measures, func(m stats.Measure) int64 { return int64(m) })
	return shown
}

// dateText is a day, or "" for none.
func dateText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// measures are the measures by the names that requests have for them.
var measures = map[string]stats.Measure{
	"order_value": stats.MeasureOrderValue, "nr_orders": stats.MeasureOrders, "clicks": stats.MeasureClicks, "estimated_cost": stats.MeasureCost,
}

// statsConfigInput is what is sent about a configuration. The types are names in
// the query, or numbers in the data, as answers have them.
type statsConfigInput struct {
	StoreID int64                 `path:"id"`
	Types   []string              `query:"types" enum:"order_value,nr_orders,clicks,estimated_cost" max:"4"`
	Name    wire.Optional[string] `json:"name" min:"1" max:"255"`
	Default *int64                `json:"default" enum:"1,0"`
	Data    wire.Optional[struct {
		Tags  wire.Optional[[]int64]   `json:"tags" max:"100"`
		From  wire.Optional[time.Time] `json:"from"`
		To    wire.Optional[time.Time] `json:"to"`
		Types []int64                  `json:"types" enum:"1,2,3,4" max:"4"`
	}] `json:"data"`
}

func (in statsConfigInput) apply(c *stats.Config) {
	laravel.Set(&c.Name, in.Name)
	if in.Default != nil {
		c.Default = *in.Default == 1
	}
	data := in.Data.Value
	laravel.Set(&c.TagIDs, data.Tags)
	laravel.SetOrClear(&c.From, data.From)
	laravel.SetOrClear(&c.To, data.To)
	switch {
	case len(in.Types) > 0:
		c.Measures = laravel.ShowAll(in.Types, func(name string) stats.Measure { return measures[name] })
	case len(data.Types) > 0:
		c.Measures = laravel.ShowAll(data.Types, func(n int64) stats.Measure { return stats.Measure(n) })
	}
}

func (s *server) listStatsConfigs(ctx context.Context, p affiliate.Principal, in struct {
	StoreID int64 `path:"id"`
}) ([]statsConfig, error) {
	all, err := s.stats.For(affiliate.ViewerOf(p)).Configs(ctx, in.StoreID)
	return laravel.ShowAll(all, showStatsConfig), err
}

func (s *server) createStatsConfig(ctx context.Context, p affiliate.Principal, in statsConfigInput) (statsConfig, error) {
	var v affiliate.Validation
	require(&v, "name", in.Name)
	require(&v, "data", in.Data)
	require(&v, "data.tags", in.Data.Value.Tags)
	if err := v.Err("stats_config"); err != nil {
		return statsConfig{}, err
	}
	c := stats.Config{AdvertiserID: in.StoreID}
	in.apply(&c)
	made, err := s.stats.For(affiliate.ViewerOf(p)).CreateConfig(ctx, c)
	return orZero(showStatsConfig, made, err)
}

func (s *server) updateStatsConfig(ctx context.Context, p affiliate.Principal, in struct {
	statsConfigInput
	ConfigID int64 `path:"stats_config"`
}) (statsConfig, error) {
	changed, err := s.stats.For(affiliate.ViewerOf(p)).UpdateConfig(ctx, in.StoreID, in.ConfigID, in.apply)
	return orZero(showStatsConfig, changed, err)
}

// deleteStatsConfig returns the configuration as it was.
func (s *server) deleteStatsConfig(ctx context.Context, p affiliate.Principal, in struct {
	StoreID  int64 `path:"id"`
	ConfigID int64 `path:"stats_config"`
}) (statsConfig, error) {
	was, err := s.stats.For(affiliate.ViewerOf(p)).DeleteConfig(ctx, in.StoreID, in.ConfigID)
	return orZero(showStatsConfig, was, err)
}

// orZero shows what a call returned, unless it failed.
func orZero[T, U any](show func(T) U, v T, err error) (U, error) {
	if err != nil {
		var none U
		return none, err
	}
	return show(v), nil
}
