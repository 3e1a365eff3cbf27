package storagetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/stats"
)

func statsConfigScenarios() []scenario[links.Store] {
	return append(ofLinks(statsConfigs().scenarios(), sameStore),
		scenario[links.Store]{"configurations of statistics/of an advertiser, and deleted", testStatsConfigLookups},
		scenario[links.Store]{"configurations of statistics/one default of an advertiser", testStatsConfigDefault},
	)
}

func sampleStatsConfig(w world, n int) stats.Config {
	return stats.Config{AdvertiserID: w.advertisers[0].ID, Name: fmt.Sprintf("config %d", n), TagIDs: []int64{int64(n)}}
}

func addStatsConfig(ctx context.Context, tx links.Tx, c stats.Config) (stats.Config, error) {
	return tx.StatsConfigs().Add(ctx, c)
}

func statsConfigs() table[links.Tx, stats.Config] {
	type V = stats.Config
	return table[links.Tx, V]{
		name:   "configurations of statistics",
		sample: sampleStatsConfig,
		full: func(w world) V {
			return V{
				AdvertiserID: w.advertisers[1].ID, Name: "Full", TagIDs: []int64{3, 7, nowhere}, Measures: []stats.Measure{stats.MeasureClicks, stats.MeasureOrders},
				From: at(1), To: at(2), Default: true, CreatedAt: at(3), UpdatedAt: at(4),
			}
		},
		add:    addStatsConfig,
		fetch:  func(ctx context.Context, tx links.Tx, v V) (V, error) { return tx.StatsConfigs().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx links.Tx, v V) error { return tx.StatsConfigs().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		texts:  []text[V]{{"name", 1, 255, func(v *V) *string { return &v.Name }, false}},
		broken: []broken[V]{
			{"data.tags", "required", func(v *V) { v.TagIDs = nil }},
			{"data.tags", "not_ascending", func(v *V) { v.TagIDs = []int64{2, 1} }},
			{"data.tags", "not_ascending", func(v *V) { v.TagIDs = []int64{1, 1} }},
			{"types", "unknown_type", func(v *V) { v.Measures = []stats.Measure{5} }},
			{"types", "duplicate", func(v *V) { v.Measures = []stats.Measure{1, 1} }},
		},
		references: []reference[V]{{"advertiser_id", func(v *V, id int64) { v.AdvertiserID = id }}},
	}
}

func testStatsConfigLookups(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	other := sampleStatsConfig(w, 2)
	other.AdvertiserID = w.advertisers[1].ID
	kept := addAll(t, s, addStatsConfig, sampleStatsConfig(w, 1), other, sampleStatsConfig(w, 3))
	of := func(id int64) []stats.Config {
		return see(t, s, func(ctx context.Context, tx links.Tx) ([]stats.Config, error) {
			return tx.StatsConfigs().ByAdvertiser(ctx, id)
		})
	}
	equal(t, "of one", of(w.advertisers[0].ID), []stats.Config{kept[0], kept[2]})
	equal(t, "of another", of(w.advertisers[1].ID), kept[1:2])
	equal(t, "of one without", of(w.advertisers[2].ID), []stats.Config(nil))
	remove := func(id int64) func(ctx context.Context, tx links.Tx) error {
		return func(ctx context.Context, tx links.Tx) error { return tx.StatsConfigs().Delete(ctx, id) }
	}
	refused(t, s, missing, remove(nowhere))
	write(t, s, remove(kept[0].ID))
	refused(t, s, missing, remove(kept[0].ID))
	equal(t, "of one, after a delete", of(w.advertisers[0].ID), kept[2:])
	unreadable(t, s, missing, func(ctx context.Context, tx links.Tx) error {
		return second(tx.StatsConfigs().Get(ctx, kept[0].ID))
	})
}

func testStatsConfigDefault(t *testing.T, s links.Store) {
	w := newWorld(t, s)
	first, plain, other := sampleStatsConfig(w, 1), sampleStatsConfig(w, 2), sampleStatsConfig(w, 3)
	first.Default, other.Default, other.AdvertiserID = true, true, w.advertisers[1].ID
	kept := addAll(t, s, addStatsConfig, first, plain, other)
	again := sampleStatsConfig(w, 4)
	again.Default = true
	refused(t, s, taken("default"), func(ctx context.Context, tx links.Tx) error { return second(tx.StatsConfigs().Add(ctx, again)) })
	moved := kept[1]
	moved.Default = true
	refused(t, s, taken("default"), func(ctx context.Context, tx links.Tx) error { return tx.StatsConfigs().Update(ctx, moved) })
	write(t, s, func(ctx context.Context, tx links.Tx) error {
		before := kept[0]
		before.Default = false
		if err := tx.StatsConfigs().Update(ctx, before); err != nil {
			return err
		}
		return tx.StatsConfigs().Update(ctx, moved)
	})
}
