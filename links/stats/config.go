package stats

import (
	"context"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/internal/idset"
)

// Measure is a figure that a Config shows.
type Measure uint8

// The measures, with the numbers that the wire shows.
const (
	MeasureOrderValue Measure = 1
	MeasureOrders     Measure = 2
	MeasureClicks     Measure = 3
	MeasureCost       Measure = 4
)

// Measures lists all measures in the order of their numbers.
func Measures() []Measure {
	return []Measure{MeasureOrderValue, MeasureOrders, MeasureClicks, MeasureCost}
}

// Of returns the measure's figure of a row.
func (m Measure) Of(f *Figures) int64 {
	switch m {
	case MeasureOrderValue:
		return f.OrderValue
	case MeasureOrders:
		return f.Orders
	case MeasureClicks:
		return f.Clicks
	case MeasureCost:
		return f.Cost()
	}
	return 0
}

// MaxConfigs bounds the configurations of an advertiser.
const MaxConfigs = 100

// Config is a question about user tags that an advertiser asks again and again.
type Config struct {
	ID           int64
	AdvertiserID int64
	Name         string    // 1..255 characters
	TagIDs       []int64   // 1..MaxTags user tags: ascending, each once
	Measures     []Measure // each once, in the order that they are shown; empty: all
	From, To     time.Time // days, both inclusive; zero: as in a Span
	Default      bool      // shown first; one configuration of an advertiser at most is it
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Validate checks what every backend refuses.
func (c Config) Validate() error {
	var v affiliate.Validation
	v.Text("name", c.Name, 1, 255)
	v.Check(len(c.TagIDs) > 0, "data.tags", "required", "is required")
	v.Check(len(c.TagIDs) <= MaxTags, "data.tags", "too_many", "must be at most 100")
	v.Check(slices.Equal(c.TagIDs, idset.Sorted(c.TagIDs)), "data.tags", "not_ascending", "must be ascending, each once")
	for i, m := range c.Measures {
		v.Check(slices.Contains(Measures(), m), "types", "unknown_type", "must be numbers from 1 to 4")
		v.Check(!slices.Contains(c.Measures[:i], m), "types", "duplicate", "must be all different")
	}
	return v.Err("stats_config")
}

// Configs returns the configurations of an advertiser, oldest first
// (stats-configs-list).
func (s *Service) Configs(ctx context.Context, advertiserID int64) ([]Config, error) {
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) ([]Config, error) {
		if _, err := s.advertiser(ctx, tx, advertiserID); err != nil {
			return nil, err
		}
		return tx.StatsConfigs().ByAdvertiser(ctx, advertiserID)
	})
}

// CreateConfig keeps a configuration (stats-config-create). A default one takes
// that place from the one that had it. ErrInvalid with the field "data.tags" when
// a tag is unknown or another advertiser's, ErrConflict "too_many" when the
// advertiser has MaxConfigs.
func (s *Service) CreateConfig(ctx context.Context, c Config) (Config, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Config, error) {
		a, err := s.advertiser(ctx, tx, c.AdvertiserID)
		if err != nil {
			return Config{}, err
		}
		c := c
		c.CreatedAt = s.clock.Now()
		c.UpdatedAt = c.CreatedAt
		others, err := s.admitConfig(ctx, tx, a, &c)
		if err != nil {
			return Config{}, err
		}
		if len(others) >= MaxConfigs {
			return Config{}, affiliate.Conflict("stats_config", "too_many", "The store has 100 configurations already. Delete one first.")
		}
		c, err = tx.StatsConfigs().Add(ctx, c)
		if err != nil {
			return Config{}, err
		}
		return c, tx.Events().Add(ctx, c.event(EventConfigCreated, c.CreatedAt))
	})
}

// UpdateConfig changes a configuration of an advertiser (stats-config-update).
// change may run again; the id, the advertiser and the time of creation are not
// its to change.
func (s *Service) UpdateConfig(ctx context.Context, advertiserID, id int64, change func(*Config)) (Config, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Config, error) {
		a, before, err := s.config(ctx, tx, advertiserID, id)
		if err != nil {
			return before, err
		}
		c := before
		c.TagIDs, c.Measures = slices.Clone(before.TagIDs), slices.Clone(before.Measures)
		change(&c)
		c.ID, c.AdvertiserID, c.CreatedAt, c.UpdatedAt = id, advertiserID, before.CreatedAt, s.clock.Now()
		if _, err := s.admitConfig(ctx, tx, a, &c); err != nil {
			return Config{}, err
		}
		if err := tx.StatsConfigs().Update(ctx, c); err != nil {
			return Config{}, err
		}
		return c, tx.Events().Add(ctx, c.event(EventConfigUpdated, c.UpdatedAt))
	})
}

// DeleteConfig deletes a configuration of an advertiser and returns it as it was
// (stats-config-delete).
func (s *Service) DeleteConfig(ctx context.Context, advertiserID, id int64) (Config, error) {
	return affiliate.Write(ctx, s.store, func(ctx context.Context, tx Tx) (Config, error) {
		_, c, err := s.config(ctx, tx, advertiserID, id)
		if err != nil {
			return c, err
		}
		if err := tx.StatsConfigs().Delete(ctx, id); err != nil {
			return c, err
		}
		return c, tx.Events().Add(ctx, c.event(EventConfigDeleted, s.clock.Now()))
	})
}

// config returns an advertiser that the viewer acts for, and a configuration of
// it.
func (s *Service) config(ctx context.Context, tx Tx, advertiserID, id int64) (affiliate.Advertiser, Config, error) {
	a, err := s.advertiser(ctx, tx, advertiserID)
	if err != nil {
		return a, Config{}, err
	}
	c, err := tx.StatsConfigs().Get(ctx, id)
	if err == nil && c.AdvertiserID != advertiserID {
		return a, Config{}, affiliate.NotFound("stats_config", id)
	}
	return a, c, err
}

// admitConfig brings a configuration into the form that is kept, checks it, and
// takes the default from the other configurations if it is to be the default. It
// returns those others.
func (s *Service) admitConfig(ctx context.Context, tx Tx, a affiliate.Advertiser, c *Config) ([]Config, error) {
	c.TagIDs, c.From, c.To = idset.Sorted(c.TagIDs), date(c.From), date(c.To)
	var v affiliate.Validation
	v.Merge("", c.Validate())
	_, _, err := Span{From: c.From, To: c.To}.Bounds(DayOf(s.clock.Now(), &a))
	v.Merge("data", err)
	if err := v.Err("stats_config"); err != nil {
		return nil, err
	}
	tags, err := tx.UserTags().GetMany(ctx, c.TagIDs)
	if err != nil {
		return nil, err
	}
	if len(tags) != len(c.TagIDs) || slices.ContainsFunc(tags, func(t affiliate.UserTag) bool { return !s.sees(t, c.AdvertiserID) }) {
		return nil, affiliate.Invalid("stats_config", affiliate.FieldError{Field: "data.tags", Code: "unknown_reference", Message: "must be the ids of user tags"})
	}
	others, err := tx.StatsConfigs().ByAdvertiser(ctx, c.AdvertiserID)
	if err != nil {
		return nil, err
	}
	others = slices.DeleteFunc(others, func(o Config) bool { return o.ID == c.ID })
	for _, o := range others {
		if o.Default && c.Default {
			o.Default, o.UpdatedAt = false, c.UpdatedAt
			if err := tx.StatsConfigs().Update(ctx, o); err != nil {
				return nil, err
			}
			if err := tx.Events().Add(ctx, o.event(EventConfigUpdated, o.UpdatedAt)); err != nil {
				return nil, err
			}
		}
	}
	return others, nil
}
