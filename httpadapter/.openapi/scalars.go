package main

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// scalar is the schema of a type that reads or prints itself: as it comes in
// and as it goes out. A nil one is never needed.
type scalar struct{ in, out *huma.Schema }

func text(format string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: format} }

func matching(pattern string, example any) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern, Examples: []any{example}}
}

func anyOf(schemas ...*huma.Schema) *huma.Schema { return &huma.Schema{AnyOf: schemas} }

func nullable(s *huma.Schema) *huma.Schema {
	switch {
	case s.Type != "" && s.Enum == nil:
		s.Nullable = true
		return s
	case len(s.AnyOf) > 0 && s.AnyOf[len(s.AnyOf)-1].Type == typeNull:
		return s
	}
	return anyOf(s, &huma.Schema{Type: typeNull})
}

const typeNull = "null"

const (
	numeral    = `^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`
	dateOrTime = `^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$`
)

func number() *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

// anyNumber is a number, or a text that spells one.
func anyNumber() *huma.Schema {
	return anyOf(number(), &huma.Schema{Type: huma.TypeString, Pattern: numeral})
}

func instant() *huma.Schema { return matching(dateOrTime, "2026-03-18") }

// amountInput is a whole number of minor units, or an object of major units.
func amountInput() *huma.Schema {
	return anyOf(&huma.Schema{Type: huma.TypeInteger, Format: "int64"}, &huma.Schema{
		Type: huma.TypeObject, Required: []string{"amount", "currency"}, Properties: map[string]*huma.Schema{
			"amount": anyNumber(), "currency": matching("^[A-Z]{3}$", "EUR"),
		},
	})
}

func object(properties map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: properties}
}

func list(items *huma.Schema) *huma.Schema { return &huma.Schema{Type: huma.TypeArray, Items: items} }

// creative has the fields of all ad types: texts, in objects as their dotted
// names say.
func creative() *huma.Schema {
	schema := object(map[string]*huma.Schema{})
	for _, t := range adsync.AdTypes() {
		for _, f := range t.Fields() {
			at := schema
			names := strings.Split(f.Name, ".")
			for _, name := range names[:len(names)-1] {
				if at.Properties[name] == nil {
					at.Properties[name] = object(map[string]*huma.Schema{})
				}
				at = at.Properties[name]
			}
			at.Properties[names[len(names)-1]] = text("")
		}
	}
	return schema
}

// scalars has every type that reads or prints itself, by its name: the packages
// of the dialects do not export theirs. The test fails on a type that is
// missing here, and on a line that no type needs.
var scalars = map[string]func() scalar{
	"time.Time":                    func() scalar { return scalar{in: instant(), out: text("date-time")} },
	"json.Number":                  func() scalar { return scalar{in: anyNumber(), out: number()} },
	"decimal.Decimal":              func() scalar { return scalar{in: anyNumber(), out: matching(numeral, "12.50")} },
	"uuid.UUID":                    func() scalar { return scalar{in: text("uuid"), out: text("uuid")} },
	"httpadapter/wire.File":        func() scalar { return scalar{in: &huma.Schema{Type: huma.TypeString, Format: "binary"}} },
	"httpadapter/wire.Value":       func() scalar { return scalar{in: anything()} },
	"httpadapter/laravel.Amount":   func() scalar { return scalar{in: amountInput()} },
	"httpadapter/laravel.Rate":     func() scalar { return scalar{in: anyNumber()} },
	"httpadapter/laravel.End":      func() scalar { return scalar{in: instant()} },
	"httpadapter/laravel.MediaKey": func() scalar { return scalar{in: text("")} },
	"httpadapter/laravel.Money": func() scalar {
		return scalar{out: &huma.Schema{Type: huma.TypeObject, Required: []string{"amount", "currency"}, Properties: map[string]*huma.Schema{
			"amount": matching(numeral, "12.5"), "currency": matching("^[A-Z]{3}$", "EUR"),
		}}}
	},
	"httpadapter/laravel.DateTime": func() scalar {
		return scalar{out: nullable(matching(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$`, "2026-03-18 11:42:10"))}
	},
	"httpadapter/laravel.Timestamp": func() scalar {
		return scalar{out: nullable(matching(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$`, "2026-03-18T11:42:11.000000Z"))}
	},
	"httpadapter/metapic.userKey": func() scalar {
		both := func() *huma.Schema { return anyOf(&huma.Schema{Type: huma.TypeInteger, Format: "int64"}, text("")) }
		return scalar{in: both(), out: both()}
	},
	"httpadapter/metapic.domains": func() scalar { return scalar{in: anyOf(text(""), list(text("")))} },
	"httpadapter/advertiser.day": func() scalar {
		return scalar{out: matching(`^[0-9]{4}-[0-9]{2}-[0-9]{2} 00:00:00$`, "2020-01-01 00:00:00")}
	},
	"httpadapter/advertiser.idText": func() scalar {
		return scalar{in: anyOf(text(""), &huma.Schema{Type: huma.TypeInteger, Format: "int64"})}
	},
	"httpadapter/myshare.duration": func() scalar {
		return scalar{in: matching(`^([0-9]{1,6} )?[0-9]{1,6}:[0-5][0-9]:[0-5][0-9]$`, "30 00:00:00"), out: matching(`^[0-9]+ [0-9]{2}:[0-9]{2}:[0-9]{2}$`, "30 00:00:00")}
	},
	"httpadapter/myshare.localTime": func() scalar {
		return scalar{out: matching(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$`, "2023-04-06T08:02:46.807490")}
	},
	"httpadapter/myshare.second":         func() scalar { return scalar{out: nullable(text("date-time"))} },
	"httpadapter/apisync.creative":       func() scalar { return scalar{in: creative()} },
	"httpadapter/apisync.creativeOutput": func() scalar { return scalar{out: creative()} },
	"httpadapter/apisync.configuration":  func() scalar { return scalar{in: configuration()} },
	"httpadapter/productlists.sku":       func() scalar { return scalar{out: anyOf(number(), text(""))} },
}

// anything is a parameter of any form, such as include: a text, a list or an
// object.
func anything() *huma.Schema {
	return anyOf(text(""), number(), &huma.Schema{Type: huma.TypeBoolean}, list(text("")), &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true})
}

// configuration is what a campaign or an ad set tells the ad service.
func configuration() *huma.Schema {
	key := func() *huma.Schema {
		return anyOf(text(""), number(), object(map[string]*huma.Schema{"key": text("")}))
	}
	places := func() map[string]*huma.Schema {
		return map[string]*huma.Schema{
			"countries": list(key()), "regions": list(key()), "cities": list(key()), "zips": list(key()), "criteria_ids": list(key()),
			"custom_locations": list(&huma.Schema{Type: huma.TypeObject, Required: []string{"radius"}, Properties: map[string]*huma.Schema{
				"latitude": number(), "longitude": number(), "address_string": text(""), "radius": number(), "distance_unit": text(""),
			}}),
		}
	}
	geo := object(places())
	geo.Properties["excluded_geo_locations"] = object(places())
	return object(map[string]*huma.Schema{
		"daily_budget": {Type: huma.TypeObject, Required: []string{"amount"}, Properties: map[string]*huma.Schema{
			"amount": {Type: huma.TypeInteger, Format: "int64"}, "billing_event": text(""),
		}},
		"geo_locations": anyOf(geo, list(key())),
	})
}

// scalarName is a type's name in the table.
func scalarName(t reflect.Type) string {
	path := t.PkgPath()
	last := path[strings.LastIndexByte(path, '/')+1:]
	if strings.HasPrefix(path, "github.com/affiliatekit/affiliatekit/httpadapter") {
		last = "httpadapter/" + last
	}
	return last + "." + t.Name()
}
