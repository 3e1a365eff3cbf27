package apisync

import (
	"context"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

type adBody struct {
	Data struct {
		identity
		Attributes struct {
			Type           wire.Optional[string]   `json:"ad_type" alias:"ad-type"`
			Creative       wire.Optional[creative] `json:"creative"`
			DestinationURL wire.Optional[string]   `json:"destination_url" alias:"destination-url"`
			State          wire.Optional[string]   `json:"state"`
			ReferenceID    wire.Optional[string]   `json:"reference_id" alias:"reference-id"`
		} `json:"attributes"`
		Relationships struct {
			AdSet relationship `json:"ad_set" alias:"ad-set"`
		} `json:"relationships"`
	} `json:"data" required:"true"`
}

// creative reads the fields of every ad type; the domain keeps those of the ad's.
type creative adsync.Creative

// UnmarshalWire takes the creative with or without an object "data" around it.
func (c *creative) UnmarshalWire(v wire.Value) error {
	var bad affiliate.Validation
	if v.Kind() != wire.Object {
		bad.Add("", "wrong_type", "must be an object")
		return bad.Err("")
	}
	if inner := member(v, "data"); inner.Kind() == wire.Object {
		v = inner
	}
	for _, t := range adsync.AdTypes() {
		for _, f := range t.Fields() {
			c.read(&bad, v, f)
		}
	}
	return bad.Err("")
}

func (c *creative) read(bad *affiliate.Validation, v wire.Value, f adsync.CreativeField) {
	for name := range strings.SplitSeq(f.Name, ".") {
		if v = member(v, name); v.Kind() == wire.Absent || v.Kind() == wire.Null {
			return
		}
	}
	if v.Kind() != wire.Text {
		bad.Add(f.Name, "wrong_type", "must be a string")
		return
	}
	f.Set((*adsync.Creative)(c), v.Text())
}

// member is a member of an object, in either spelling.
func member(v wire.Value, name string) wire.Value {
	for n, key := range v.Keys() {
		if underscored(key) == name {
			return v.Items()[n]
		}
	}
	return wire.Value{}
}

// creativeOutput has the fields of an ad's type: texts, and objects of texts.
type creativeOutput map[string]any

func showCreative(t adsync.AdType, c adsync.Creative) creativeOutput {
	out := creativeOutput{}
	for _, f := range t.Fields() {
		names := strings.Split(f.Name, ".")
		at := map[string]any(out)
		for _, name := range names[:len(names)-1] {
			inner, ok := at[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		at[names[len(names)-1]] = f.Text(c)
	}
	return out
}

func (b adBody) input() adsync.AdInput {
	a := b.Data.Attributes
	return adsync.AdInput{
		ID: b.Data.ID, ReferenceID: field(a.ReferenceID), State: fieldAs(a.State, state), Type: fieldAs(a.Type, adType),
		Creative: fieldAs(a.Creative, func(c creative) adsync.Creative { return adsync.Creative(c) }), DestinationURL: field(a.DestinationURL),
		AdSet: b.Data.Relationships.AdSet.Data.ID,
	}
}

type adOutput struct {
	Type           adsync.AdType    `json:"ad_type"`
	Creative       creativeOutput   `json:"creative"`
	DestinationURL string           `json:"destination_url"`
	Service        adsync.AdService `json:"service"`
	State          adsync.State     `json:"state"`
	ReferenceID    *string          `json:"reference_id"`
	CreatedVia     adsync.Origin    `json:"created_via"`
	CreatedAt      *string          `json:"created_at"`
}

func showAd(a adsync.Ad) resource[adOutput] {
	return resource[adOutput]{
		ID: a.ID.String(), Type: ads,
		Attributes: adOutput{
			Type: a.Type, Creative: showCreative(a.Type, a.Creative), DestinationURL: a.DestinationURL, Service: a.Service, State: a.State,
			ReferenceID: orNull(a.ReferenceID), CreatedVia: a.CreatedVia, CreatedAt: moment(a.CreatedAt),
		},
		Relationships: map[string]reference{"ad_set": referTo(adSets, a.AdSetID.String())},
	}
}

func (s *server) saveAd(ctx context.Context, p affiliate.Principal, in adBody) (wire.Reply[document[adOutput]], error) {
	if err := in.Data.fits(ads); err != nil {
		return wire.Reply[document[adOutput]]{}, err
	}
	a, created, err := s.of(p).SaveAd(ctx, in.input())
	return saved(showAd(a), created), err
}

type adUpdate struct {
	one
	adBody
}

func (s *server) updateAd(ctx context.Context, p affiliate.Principal, in adUpdate) (document[adOutput], error) {
	if err := in.Data.fits(ads); err != nil {
		return document[adOutput]{}, err
	}
	a, err := s.of(p).UpdateAd(ctx, in.Key, in.input())
	return document[adOutput]{showAd(a)}, err
}

func (s *server) getAd(ctx context.Context, p affiliate.Principal, in one) (document[adOutput], error) {
	a, err := s.of(p).Ad(ctx, in.Key)
	return document[adOutput]{showAd(a)}, err
}

type adsOf struct {
	query
	AdSet string `path:"ad-set-id"`
}

func (s *server) listAdsOf(ctx context.Context, p affiliate.Principal, in adsOf) (list[adOutput], error) {
	var v affiliate.Validation
	var f adsync.AdFilter
	in.filters(&v, func(name, value string) bool {
		if name == "ad_type" {
			f.Type = adType(value)
			return true
		}
		return common(name, value, &f.Service, &f.State, &f.ReferenceID)
	})
	page := in.page(&v)
	if err := v.Err("ad"); err != nil {
		return list[adOutput]{}, err
	}
	found, err := s.of(p).AdsOf(ctx, in.AdSet, f, page)
	return show(in.query, found, showAd), err
}
