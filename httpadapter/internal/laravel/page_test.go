package laravel

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// encode marshals as answers are: without HTML escapes.
func encode(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func TestListIsTheDocumentedEnvelope(t *testing.T) {
	is := is.New(t)
	show := func(n int) string { return fmt.Sprint("item ", n) }
	list := NewList(wire.URL{Path: "/"}, affiliate.PageRequest{Number: 1, Size: 10}, affiliate.Page[int]{Items: []int{80, 81}, Total: 2}, show)
	got, err := encode(list)
	is.NoErr(err)
	is.Equal(got, `{"data":["item 80","item 81"],"links":{"first":"/?page=1","last":"/?page=1","prev":null,"next":null},`+
		`"meta":{"current_page":1,"from":1,"last_page":1,"links":[{"url":null,"label":"« Previous","page":null,"active":false},`+
		`{"url":"/?page=1","label":"1","page":1,"active":true},{"url":null,"label":"Next »","page":null,"active":false}],`+
		`"path":"/","per_page":10,"to":2,"total":2}}`)

	list = NewList(wire.URL{Path: "/v2/x", Query: "page=2&q=a%20b&&size=2"}, affiliate.PageRequest{Number: 2, Size: 2}, affiliate.Page[int]{Items: []int{3, 4}, Total: 5}, show)
	got, err = encode(list)
	is.NoErr(err)
	is.Equal(got, `{"data":["item 3","item 4"],"links":{"first":"/v2/x?q=a%20b&size=2&page=1","last":"/v2/x?q=a%20b&size=2&page=3","prev":"/v2/x?q=a%20b&size=2&page=1","next":"/v2/x?q=a%20b&size=2&page=3"},`+
		`"meta":{"current_page":2,"from":3,"last_page":3,"links":[{"url":"/v2/x?q=a%20b&size=2&page=1","label":"« Previous","page":1,"active":false},`+
		`{"url":"/v2/x?q=a%20b&size=2&page=1","label":"1","page":1,"active":false},{"url":"/v2/x?q=a%20b&size=2&page=2","label":"2","page":2,"active":true},`+
		`{"url":"/v2/x?q=a%20b&size=2&page=3","label":"3","page":3,"active":false},{"url":"/v2/x?q=a%20b&size=2&page=3","label":"Next »","page":3,"active":false}],`+
		`"path":"/v2/x","per_page":2,"to":4,"total":5}}`)
}

func TestEmptyPages(t *testing.T) {
	is := is.New(t)
	show := func(n int) int { return n }
	empty := NewList(wire.URL{Path: "/x"}, affiliate.PageRequest{Number: 1, Size: 10}, affiliate.Page[int]{}, show)
	got, err := encode(empty.Data)
	is.NoErr(err)
	is.Equal(got, `[]`)
	is.Equal(empty.Meta.From, nil)
	is.Equal(empty.Meta.To, nil)
	is.Equal(empty.Meta.LastPage, 1)
	past := NewList(wire.URL{Path: "/x"}, affiliate.PageRequest{Number: 9, Size: 10}, affiliate.Page[int]{Total: 11}, show)
	is.Equal(past.Meta.From, nil)
	is.Equal(past.Meta.LastPage, 2)
	is.Equal(*past.Links.Prev, "/x?page=8")
	is.Equal(past.Links.Next, nil)
	is.Equal(*past.Meta.Links[0].Page, 8)
}

func TestPagerLeavesOutTheMiddle(t *testing.T) {
	for _, c := range []struct {
		current, last int
		expected      string
	}{
		{1, 1, "[1]"},
		{5, 13, "1 2 3 4 [5] 6 7 8 9 10 11 12 13"},
		{1, 14, "[1] 2 3 4 5 6 7 8 9 10 ... 13 14"},
		{7, 14, "1 2 3 4 5 6 [7] 8 9 10 ... 13 14"},
		{8, 14, "1 2 ... 5 6 7 [8] 9 10 11 12 13 14"},
		{8, 20, "1 2 ... 5 6 7 [8] 9 10 11 ... 19 20"},
		{13, 20, "1 2 ... 10 11 12 [13] 14 15 16 ... 19 20"},
		{14, 20, "1 2 ... 11 12 13 [14] 15 16 17 18 19 20"},
		{20, 20, "1 2 ... 11 12 13 14 15 16 17 18 19 [20]"},
	} {
		links := PageLinks(wire.URL{Path: "/"}, c.current, c.last)
		var shown []string
		for _, l := range links[1 : len(links)-1] {
			switch {
			case l.Active:
				shown = append(shown, "["+l.Label+"]")
			case l.Label == "..." && (l.URL != nil || l.Page != nil):
				t.Errorf("a gap has a page: %+v", l)
			default:
				shown = append(shown, l.Label)
			}
		}
		if got := strings.Join(shown, " "); got != c.expected {
			t.Errorf("page %d of %d:\n got %s\nwant %s", c.current, c.last, got, c.expected)
		}
	}
}

func TestTimesPrintAsDocumented(t *testing.T) {
	is := is.New(t)
	at := time.Date(2026, 3, 18, 12, 42, 11, 1000, time.FixedZone("", 3600))
	got, err := json.Marshal([]any{DateTime(at), Timestamp(at), DateTime{}, Timestamp{}})
	is.NoErr(err)
	is.Equal(string(got), `["2026-03-18 11:42:11","2026-03-18T11:42:11.000001Z",null,null]`)
}
