package apisync

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// identity is what every resource object says about itself.
type identity struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// fits refuses a type that is not the route's. Slips are other types that the
// document's own examples have.
func (i identity) fits(resource string, slips ...string) error {
	sent := strings.ReplaceAll(i.Type, "_", "-")
	if sent == "" || sent == resource {
		return nil
	}
	for _, slip := range slips {
		if sent == slip {
			return nil
		}
	}
	return affiliate.Conflict(resource, "type_mismatch", "The type must be "+resource+" here.")
}

// relationship names another resource.
type relationship struct {
	Data identity `json:"data"`
}

// reference is a relationship as it is printed.
type reference struct {
	Data referenceData `json:"data"`
}

type referenceData struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func referTo(resource, id string) reference { return reference{referenceData{resource, id}} }

// resource is a resource object as it is printed, with attributes of type A.
type resource[A any] struct {
	ID            string               `json:"id"`
	Type          string               `json:"type"`
	Attributes    A                    `json:"attributes"`
	Relationships map[string]reference `json:"relationships,omitempty"`
}

type document[A any] struct {
	Data resource[A] `json:"data"`
}

// saved is the document of a record that a POST added or changed.
func saved[A any](r resource[A], created bool) wire.Reply[document[A]] {
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return wire.Reply[document[A]]{Status: status, Body: document[A]{r}}
}

// one is the input of a route about one record.
type one struct {
	Key string `path:"id"`
}

// list is the document of a page.
type list[A any] struct {
	Data  []resource[A] `json:"data"`
	Links links         `json:"links"`
}

type links struct {
	Self string  `json:"self"`
	Next *string `json:"next"`
}

// query is the input of a list.
type query struct {
	URL    wire.URL
	Filter map[string]string `query:"filter" max:"20"`
	Page   map[string]string `query:"page" max:"20"`
}

// show makes the document of a page.
func show[T, A any](q query, p adsync.Page[T], as func(T) resource[A]) list[A] {
	out := list[A]{Data: make([]resource[A], len(p.Items)), Links: links{Self: address(q.URL.Path, q.URL.Query)}}
	for n, v := range p.Items {
		out.Data[n] = as(v)
	}
	if p.Next.Set {
		next := q.next(p.Next.Value)
		out.Links.Next = &next
	}
	return out
}

func address(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// next is the address of the page behind a cursor: the filters stay as they came.
func (q query) next(c adsync.Cursor) string {
	var kept []string
	for pair := range strings.SplitSeq(q.URL.Query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); pair != "" && (err != nil || !strings.HasPrefix(decoded, "page")) {
			kept = append(kept, pair)
		}
	}
	ms := c.At.UnixMilli()
	micros := c.At.UnixMicro() - ms*1000
	kept = append(kept, "page[starting_after]="+strconv.FormatInt(ms, 10), "page[after]="+strconv.FormatInt(micros, 10)+"."+c.ID.String())
	return address(q.URL.Path, strings.Join(kept, "&"))
}

// maxMillis is the end of the year 9999.
const maxMillis = 253402300799999

// page reads the cursor.
func (q query) page(v *affiliate.Validation) adsync.PageRequest {
	var after, tie string
	for _, name := range slices.Sorted(maps.Keys(q.Page)) {
		value := q.Page[name]
		switch underscored(name) {
		case "starting_after":
			after = value
		case "after":
			tie = value
		default:
			v.Add("page."+name, "unknown", "is no parameter of this list")
		}
	}
	if after == "" && tie == "" {
		return adsync.PageRequest{}
	}
	ms, err := strconv.ParseInt(after, 10, 64)
	if err != nil || ms < 0 || ms > maxMillis {
		v.Add("page.starting_after", "invalid", "must be milliseconds since 1970")
		return adsync.PageRequest{}
	}
	if tie == "" { // the documented cursor alone: behind that millisecond
		return adsync.PageRequest{After: adsync.Cursor{At: time.UnixMicro(ms*1000 + 999).UTC(), ID: uuid.Max}}
	}
	text, id, _ := strings.Cut(tie, ".")
	micros, err := strconv.ParseUint(text, 10, 10)
	last, errID := uuid.Parse(id)
	if err != nil || errID != nil || len(id) != 36 || micros > 999 {
		v.Add("page.after", "invalid", "must be as links.next has it")
		return adsync.PageRequest{}
	}
	return adsync.PageRequest{After: adsync.Cursor{At: time.UnixMicro(ms*1000 + int64(micros)).UTC(), ID: last}}
}

// filters reads the filters: each name that take does not know is an error, and
// so is one without a value.
func (q query) filters(v *affiliate.Validation, take func(name, value string) bool) {
	for _, name := range slices.Sorted(maps.Keys(q.Filter)) {
		value := q.Filter[name]
		switch {
		case !take(underscored(name), value):
			v.Add("filter."+name, "unknown", "is no filter of this list")
		case value == "":
			v.Add("filter."+name, "required", "must have a value")
		}
	}
}

// underscored is a name as it goes out.
func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

// service takes the old name of Google's service too.
func service(s string) adsync.AdService {
	if s == "adwords" {
		return adsync.GoogleAds
	}
	return adsync.AdService(s)
}

// adType takes the short name of Facebook's image ads too.
func adType(s string) adsync.AdType {
	if s = underscored(s); s == "image" {
		return adsync.ImageWithLink
	}
	if s == underscored(string(adsync.ExpandedTextAd)) {
		return adsync.ExpandedTextAd
	}
	return adsync.AdType(s)
}

// field hands an attribute on to the domain, which has the same three states.
func field[T any](o wire.Optional[T]) adsync.Field[T] {
	return adsync.Field[T]{Value: o.Value, Set: o.Set, Null: o.Null}
}

// fieldAs is field for an attribute of another type.
func fieldAs[T, U any](o wire.Optional[T], as func(T) U) adsync.Field[U] {
	f := adsync.Field[U]{Set: o.Set, Null: o.Null}
	if o.Set && !o.Null {
		f.Value = as(o.Value)
	}
	return f
}

// orNull is a text, or null when it is empty.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// moment is a time as the document prints it, or null for none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05Z")
	return &s
}
