package productlists

import (
	"slices"
	"strings"
)

// Preset names the feeds of one kind, whose columns have names of their own.
type Preset string

// The presets. Without one all of their names are understood, which is right
// unless a feed has a column that means something else in it.
const (
	GoogleFeed      Preset = "google" // Google Merchant Center, and Meta's catalogs
	AwinFeed        Preset = "awin"
	CJFeed          Preset = "cj"
	RakutenFeed     Preset = "rakuten" // also without a header, between HDR and TRL lines
	ShopifyFeed     Preset = "shopify" // needs Options.Currency and BaseURL
	WooCommerceFeed Preset = "woocommerce"
)

// Presets lists them.
func Presets() []Preset {
	return []Preset{GoogleFeed, AwinFeed, CJFeed, RakutenFeed, ShopifyFeed, WooCommerceFeed}
}

// ownColumns are the columns of this package, by which mappings name them.
var ownColumns = []string{
	"id", "barcode", "name", "description", "commission_url", "direct_url", "image_url", "currency", "regular_price", "final_price",
	"availability", "sku", "brand", "category", "network_id", "network_name", "network_logo_url", "merchant_id", "merchant_name",
	"merchant_logo_url", "sale_price", "sale_dates", "sale_from", "sale_until", "handle", "option1", "option2", "option3", "kind",
}

// presetColumns are the names that feeds have for the columns, squeezed: the
// first of several that a feed has counts. sale_price, unlike final_price, counts
// only above 0 and at its time.
var presetColumns = map[Preset]map[string]string{
	GoogleFeed: {
		"id": "id", "title": "name", "description": "description", "link": "direct_url", "imagelink": "image_url", "price": "regular_price",
		"saleprice": "sale_price", "salepriceeffectivedate": "sale_dates", "availability": "availability", "gtin": "barcode", "mpn": "sku",
		"brand": "brand", "producttype": "category", "googleproductcategory": "category", "fbproductcategory": "category",
	},
	AwinFeed: {
		"awproductid": "id", "productname": "name", "description": "description", "merchantdeeplink": "direct_url", "awdeeplink": "commission_url",
		"merchantimageurl": "image_url", "awimageurl": "image_url", "largeimage": "image_url", "currency": "currency", "searchprice": "final_price",
		"rrpprice": "regular_price", "productpriceold": "regular_price", "instock": "availability", "stockstatus": "availability",
		"ean": "barcode", "productgtin": "barcode", "upc": "barcode", "merchantproductid": "sku", "brandname": "brand",
		"merchantcategory": "category", "categoryname": "category", "merchantid": "merchant_id", "merchantname": "merchant_name",
	},
	CJFeed: {
		"sku": "id", "name": "name", "description": "description", "buyurl": "direct_url", "imageurl": "image_url", "currency": "currency",
		"price": "regular_price", "retailprice": "regular_price", "saleprice": "sale_price", "instock": "availability", "upc": "barcode",
		"manufacturerid": "sku", "manufacturer": "brand", "advertisercategory": "category", "programname": "merchant_name",
	},
	RakutenFeed: {
		"productid": "id", "productname": "name", "skunumber": "sku", "primarycategory": "category", "producturl": "direct_url",
		"productimageurl": "image_url", "longproductdescription": "description",
		"saleprice": "sale_price", "retailprice": "regular_price", "begindate": "sale_from", "enddate": "sale_until", "brand": "brand",
		"manufacturername": "brand", "availability": "availability", "universalproductcode": "barcode", "currency": "currency",
	},
	ShopifyFeed: {
		"handle": "handle", "title": "name", "bodyhtml": "description", "vendor": "brand", "productcategory": "category", "type": "category",
		"option1value": "option1", "option2value": "option2", "option3value": "option3", "variantsku": "sku", "variantprice": "final_price",
		"variantcompareatprice": "regular_price", "variantbarcode": "barcode", "imagesrc": "image_url", "url": "direct_url",
	},
	WooCommerceFeed: {
		"id": "id", "type": "kind", "sku": "sku", "name": "name", "description": "description",
		"regularprice": "regular_price", "saleprice": "sale_price", "datesalepricestarts": "sale_from", "datesalepriceends": "sale_until",
		"instock": "availability", "categories": "category", "images": "image_url", "externalurl": "direct_url", "gtinupceanorisbn": "barcode",
		"brands": "brand",
	},
}

// columnNames says which column a squeezed name in a feed is.
type columnNames map[string]string

// namesOf are the names of a preset, or of all without one, over which those of
// the host go.
func namesOf(preset Preset, own map[string]string) columnNames {
	names := columnNames{}
	for _, column := range ownColumns {
		names[squeezeName(column)] = column
	}
	for _, p := range Presets() {
		for name, column := range presetColumns[p] {
			if _, taken := names[name]; p == preset || preset == "" && !taken {
				names[name] = column
			}
		}
	}
	for name, column := range own {
		names[squeezeName(name)] = column
	}
	return names
}

// squeezeName leaves of a column's name what names it: "g:image_link" and "Image
// Link" are one.
func squeezeName(name string) string {
	name = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "g:")
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '-', '(', ')', '?', ',', '.', '/', ':', '\ufeff':
			return -1
		}
		return r
	}, name)
}

// set puts a text into its column, unless one stands there already: of several
// names of one column the first in the feed counts.
func (c columnNames) set(row *feedRow, name, text string) {
	if text == "" {
		return
	}
	if at := row.at(c[squeezeName(name)]); at != nil && *at == "" {
		*at = feedText(text)
	}
}

// checkMapping checks a host's own names.
func checkMapping(own map[string]string) (wrong []string) {
	for _, column := range own {
		if !slices.Contains(ownColumns, column) {
			wrong = append(wrong, column)
		}
	}
	slices.Sort(wrong)
	return wrong
}
