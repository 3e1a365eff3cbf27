package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type user struct {
	ID             int64 `json:"id" required:"true"`
	ValidateClicks bool  `json:"validate_clicks"`
}

type money struct{ amount, currency string }

func (m *money) UnmarshalWire(v Value) error {
	switch v.Kind() {
	case Number:
		m.amount = v.Text() + " minor"
		return nil
	case Object:
		m.amount, m.currency = v.Get("amount").Text(), v.Get("currency").Text()
		var bad affiliate.Validation
		bad.Text("currency", m.currency, 3, 3)
		return bad.Err("")
	}
	return errors.New("must be an amount")
}

func (m money) MarshalJSON() ([]byte, error) { return json.Marshal(m.amount + m.currency) }

type everything struct {
	ID       int64             `json:"id"`
	Small    int8              `json:"small"`
	Name     string            `json:"name" alias:"title,label" max:"5"`
	On       bool              `json:"on"`
	Rate     decimal.Decimal   `json:"rate" min:"0" max:"1"`
	Given    json.Number       `json:"given"`
	At       *time.Time        `json:"at"`
	UUID     *uuid.UUID        `json:"uuid"`
	Kind     string            `json:"kind" enum:"allow,block"`
	Levels   []int64           `json:"levels" enum:"0,1,2"`
	Domains  []string          `json:"domains" min:"1" max:"3"`
	Users    []user            `json:"users"`
	Metadata map[string]string `json:"metadata" max:"2"`
	Billing  *struct {
		City string `json:"city" required:"true"`
	} `json:"billing"`
	Cost  *money          `json:"cost"`
	Any   Value           `json:"any"`
	Raw   json.RawMessage `json:"raw"`
	Sort  affiliate.Sort  `json:"sort_by" sort:"id,name"`
	Page  int             `json:"page" min:"1"`
	Patch Optional[int64] `json:"patch" max:"9"`
}

// decodeErrors posts a body and returns the failing fields.
func decodeErrors[In any](t *testing.T, d Dialect, body, contentType string) map[string][]string {
	t.Helper()
	b := newBench(t, d, Options{}, Route{"POST /x", "x", Any(), Call(func(context.Context, affiliate.Principal, In) (None, error) {
		return None{}, nil
	})})
	w := b.do("POST", "/x", body, "Content-Type", contentType)
	if w.Code == 204 {
		return nil
	}
	var answer struct{ Errors map[string][]string }
	decodeInto(t, w, &answer)
	if w.Code != 422 {
		return map[string][]string{"status": {fmt.Sprint(w.Code), w.Body.String()}}
	}
	return answer.Errors
}

func TestWrongFieldsAreNamedWithTheirBound(t *testing.T) {
	for _, c := range []struct{ body, field, message string }{
		{`{"id":"x"}`, "id", "must be an integer"},
		{`{"id":1.0}`, "id", "must be an integer"},
		{`{"id":1e3}`, "id", "must be an integer"},
		{`{"id":true}`, "id", "must be an integer"},
		{`{"id":[]}`, "id", "must be an integer"},
		{`{"id":"+1"}`, "id", "must be an integer"},
		{`{"id":""}`, "id", "must be an integer"},
		{`{"id":9223372036854775808}`, "id", "must be between -9223372036854775808 and 9223372036854775807"},
		{`{"small":128}`, "small", "must be between -128 and 127"},
		{`{"page":0}`, "page", "must be at least 1"},
		{`{"name":1}`, "name", "must be a string"},
		{`{"name":"abcdef"}`, "name", "must be at most 5 characters"},
		{`{"name":"a\u0000"}`, "name", "must not contain NUL"},
		{`{"name":"\ud800"}`, "name", "must be valid UTF-8"},
		{`{"name":"\udc00\ud800"}`, "name", "must be valid UTF-8"},
		{`{"on":"yes"}`, "on", "must be true or false"},
		{`{"on":2}`, "on", "must be true or false"},
		{`{"rate":1.01}`, "rate", "must be at most 1"},
		{`{"rate":"-0.1"}`, "rate", "must be at least 0"},
		{`{"rate":"x"}`, "rate", "must be a number"},
		{`{"rate":"NaN"}`, "rate", "must be a number"},
		{`{"rate":1e1000000000}`, "rate", "must be a number of at most 40 characters and an exponent between -40 and 40"},
		{`{"given":[1]}`, "given", "must be a number"},
		{`{"at":"yesterday"}`, "at", "must be a date or a time, such as 2026-03-18 or 2026-03-18T11:42:10Z"},
		{`{"at":"2026-02-30"}`, "at", "must be a date or a time, such as 2026-03-18 or 2026-03-18T11:42:10Z"},
		{`{"uuid":"17"}`, "uuid", "must be a valid uuid"},
		{`{"kind":"deny"}`, "kind", "must be one of allow, block"},
		{`{"levels":[0,3]}`, "levels.1", "must be one of 0, 1, 2"},
		{`{"levels":7}`, "levels", "must be a list"},
		{`{"levels":[null]}`, "levels.0", "must not be null"},
		{`{"domains":[]}`, "domains", "must have at least 1 items"},
		{`{"domains":["a","b","c","d"]}`, "domains", "must have at most 3 items"},
		{`{"users":[{"id":1},{"id":"x"}]}`, "users.1.id", "must be an integer"},
		{`{"users":[{}]}`, "users.0.id", "is required"},
		{`{"users":[{"id":null}]}`, "users.0.id", "is required"},
		{`{"users":[7]}`, "users.0", "must be an object"},
		{`{"metadata":{"a":1}}`, "metadata.a", "must be a string"},
		{`{"metadata":["a"]}`, "metadata", "must be an object"},
		{`{"metadata":{"a":"","b":"","c":""}}`, "metadata", "must have at most 2 members"},
		{`{"metadata":{"\ud800":""}}`, "metadata.\uFFFD", "has a name that must be valid UTF-8"},
		{`{"billing":{}}`, "billing.city", "is required"},
		{`{"billing":{"city":""}}`, "billing.city", "is required"},
		{`{"cost":"1"}`, "cost", "must be an amount"},
		{`{"cost":{"amount":"1.2","currency":"E"}}`, "cost.currency", "must be at least 3 characters"},
		{`{"cost":{"amount":"\u0000"}}`, "cost", "must not contain NUL"},
		{`{"any":[{"a":"\u0000"}]}`, "any", "must not contain NUL"},
		{`{"raw":{"\ud800":1}}`, "raw", "must be valid UTF-8"},
		{`{"sort_by":"name"}`, "sort_by", "must be column:asc or column:desc, the column one of id, name"},
		{`{"sort_by":"email:asc"}`, "sort_by", "must be column:asc or column:desc, the column one of id, name"},
		{`{"patch":10}`, "patch", "must be at most 9"},
		{`{"patch":"x"}`, "patch", "must be an integer"},
	} {
		t.Run(c.body, func(t *testing.T) {
			got := decodeErrors[everything](t, sampleDialect, c.body, "application/json")
			if len(got) != 1 || len(got[c.field]) != 1 || got[c.field][0] != c.message {
				t.Fatalf("got %q, want %s: %s", got, c.field, c.message)
			}
		})
	}
}

func TestAllWrongFieldsAreToldAtOnce(t *testing.T) {
	is := is.New(t)
	got := decodeErrors[everything](t, sampleDialect, `{"id":"x","name":5,"users":[{"id":"a"},{"id":1,"validate_clicks":"no"}],"billing":{}}`, "application/json")
	is.Equal(len(got), 5)
	for _, f := range []string{"id", "name", "users.0.id", "users.1.validate_clicks", "billing.city"} {
		is.Equal(len(got[f]), 1) // f
	}
}

func TestAcceptedSpellings(t *testing.T) {
	b := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(func(_ context.Context, _ affiliate.Principal, in everything) (map[string]any, error) {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		var m map[string]any
		err = json.Unmarshal(raw, &m)
		m["any"] = in.Any.JSON()
		return m, err
	})})
	for _, c := range []struct{ body, field, expected string }{
		{`{"id":12}`, "id", `12`},
		{`{"id":"12"}`, "id", `12`},
		{`{"id":1,"id":2}`, "id", `2`},
		{`{"id":null}`, "id", `0`},
		{`{"unknown":[{"\u0000":1}]}`, "id", `0`},
		{`{"name":"åäö 🛍"}`, "name", `"åäö 🛍"`},
		{`{"name":"\ud83d\uded2\n"}`, "name", `"🛒\n"`},
		{`{"title":"x"}`, "name", `"x"`},
		{`{"label":"x","name":"y"}`, "name", `"y"`},
		{`{"on":1}`, "on", `true`},
		{`{"on":"0"}`, "on", `false`},
		{`{"on":"true"}`, "on", `true`},
		{`{"rate":0.10}`, "rate", `"0.1"`},
		{`{"rate":"1"}`, "rate", `"1"`},
		{`{"at":"2026-03-18"}`, "at", `"2026-03-18T00:00:00Z"`},
		{`{"at":"2026-03-18T12:42:06"}`, "at", `"2026-03-18T12:42:06Z"`},
		{`{"at":"2026-03-18 12:42:06"}`, "at", `"2026-03-18T12:42:06Z"`},
		{`{"at":"2026-03-18T12:42:06.123456789+02:00"}`, "at", `"2026-03-18T10:42:06.123456Z"`},
		{`{"uuid":"0198aaaa-0000-7000-8000-000000000000"}`, "uuid", `"0198aaaa-0000-7000-8000-000000000000"`},
		{`{"levels":"[1,2]"}`, "levels", `[1,2]`},
		{`{"levels":["1"]}`, "levels", `[1]`},
		{`{"levels":[]}`, "levels", `[]`},
		{`{"metadata":{"a":"1","a":"2"}}`, "metadata", `{"a":"2"}`},
		{`{"metadata":[]}`, "metadata", `{}`},
		{`{"cost":10000}`, "cost", `"10000 minor"`},
		{`{"cost":{"amount":"1.2","currency":"EUR"}}`, "cost", `"1.2EUR"`},
		{`{"any":[1.50,{"b":null}]}`, "any", `[1.50,{"b":null}]`},
		{`{"sort_by":"name:desc"}`, "sort_by", `{"Column":"name","Desc":true}`},
	} {
		t.Run(c.body, func(t *testing.T) {
			w := b.do("POST", "/x", c.body)
			if w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var got map[string]json.RawMessage
			decodeInto(t, w, &got)
			if string(got[c.field]) != c.expected {
				t.Fatalf("got %s, want %s", got[c.field], c.expected)
			}
		})
	}
}

func TestNumbersStayAsGiven(t *testing.T) {
	is := is.New(t)
	var got everything
	b := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(func(_ context.Context, _ affiliate.Principal, in everything) (None, error) {
		got = in
		return None{}, nil
	})})
	want(t, b.do("POST", "/x", `{"given":12345678901234567890.10,"raw":{"b": [1e400]},"rate":0.1000000000000000055511151231257827}`), 204, "")
	is.Equal(got.Given.String(), "12345678901234567890.10")
	is.Equal(string(got.Raw), `{"b": [1e400]}`)
	is.Equal(got.Rate.String(), "0.1000000000000000055511151231257827")
}

func TestStrictDialectsTakeNoOtherTypes(t *testing.T) {
	strict := Dialect{Errors: sampleErrors{}}
	for body, field := range map[string]string{
		`{"id":"12"}`: "id", `{"on":1}`: "on", `{"on":"true"}`: "on", `{"levels":"[1]"}`: "levels",
	} {
		if got := decodeErrors[everything](t, strict, body, "application/json"); len(got[field]) != 1 {
			t.Errorf("%s: got %q", body, got)
		}
	}
}

func TestOptionalTellsAbsentFromNull(t *testing.T) {
	type in struct {
		N Optional[int64]  `json:"n"`
		S Optional[string] `json:"s"`
	}
	b := newBench(t, sampleDialect, Options{}, Route{"PATCH /x", "x", Any(), Call(func(_ context.Context, _ affiliate.Principal, in in) (string, error) {
		return fmt.Sprint(in.N, in.S, in.N.Ptr() == nil), nil
	})})
	want(t, b.do("PATCH", "/x", `{}`), 200, `"{0 false false} { false false} true"`)
	want(t, b.do("PATCH", "/x", `{"n":null,"s":null}`), 200, `"{0 true true} { true true} true"`)
	want(t, b.do("PATCH", "/x", `{"n":0,"s":""}`), 200, `"{0 true false} { true false} false"`)
	want(t, b.do("PATCH", "/x", `n=&s=x`, "Content-Type", "application/x-www-form-urlencoded"), 200, `"{0 true true} {x true false} true"`)
}

func TestQuery(t *testing.T) {
	type in struct {
		Size   int            `query:"size" default:"20" min:"1" max:"100" json:"size"`
		Page   int            `query:"page" default:"1" min:"1" max:"1000000000" json:"page"`
		Query  string         `query:"query" max:"3" json:"query"`
		IDs    []int64        `query:"ids" json:"ids"`
		On     bool           `query:"on" json:"on"`
		Status string         `query:"status" enum:"all,0" json:"status"`
		Sort   affiliate.Sort `query:"sort_by" sort:"id,name" default:"id:asc" json:"-"`
		Cursor struct {
			After int64 `query:"starting_after" json:"after"`
		} `query:"page2" json:"-"`
		Meta map[string]string `query:"metadata" json:"-"`
		Bare map[string]string `query:"" json:"-"`
	}
	var got in
	b := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(func(_ context.Context, _ affiliate.Principal, in in) (None, error) {
		got = in
		return None{}, nil
	})})
	is := is.New(t)
	want(t, b.do("POST", "/x", ""), 204, "")
	is.Equal(got.Size, 20)
	is.Equal(got.Page, 1)
	is.Equal(got.Sort.Column, "id")
	want(t, b.do("POST", "/x?size=&page=&ids=&on=&status=&sort_by=", ""), 204, "") // empty is not given
	is.Equal(got.Size, 20)
	want(t, b.do("POST", "/x?size=100&ids[]=3&ids%5B%5D=1&on=1&sort_by=name:desc&page2[starting_after]=5&metadata[a]=b&[k]=v&size=7", ""), 204, "")
	is.Equal(got.Size, 7)
	is.Equal(got.IDs, []int64{3, 1})
	is.True(got.On)
	is.Equal(got.Sort, affiliate.Sort{Column: "name", Desc: true})
	is.Equal(got.Cursor.After, int64(5))
	is.Equal(got.Meta, map[string]string{"a": "b"})
	is.Equal(got.Bare, map[string]string{"k": "v"})
	want(t, b.do("POST", "/x?size=5", `{"size":6,"query":"abc"}`), 204, "") // the query first, then the body
	is.Equal(got.Size, 5)
	is.Equal(got.Query, "abc")

	for query, message := range map[string]string{
		"size=101":       `"size":["must be between 1 and 100"]`,
		"size=-1":        `"size":["must be between 1 and 100"]`,
		"page=0":         `"page":["must be between 1 and 1000000000"]`,
		"size=abc":       `"size":["must be an integer"]`,
		"query=abcd":     `"query":["must be at most 3 characters"]`,
		"query=%ff":      `"query":["must be valid UTF-8"]`,
		"query=%00":      `"query":["must not contain NUL"]`,
		"query[]=a":      `"query":["must be a string"]`,
		"ids[]=x":        `"ids.0":["must be an integer"]`,
		"ids=1":          `"ids":["must be a list"]`,
		"ids[a]=1":       `"ids":["must be a list"]`,
		"status=9":       `"status":["must be one of all, 0"]`,
		"metadata[%ff]=": `"metadata.` + "\uFFFD" + `":["has a name that must be valid UTF-8"]`,
	} {
		want(t, b.do("POST", "/x?"+query, ""), 422, `{"message":"The given data was invalid.","code":"validation_failed","errors":{`+message+`}}`)
	}
	want(t, b.do("POST", "/x?size=%zz", ""), 400, `{"message":"The query is not valid percent-encoding.","code":"malformed_request"}`)
}

func TestGetWithBody(t *testing.T) {
	b := newBench(t, sampleDialect, Options{},
		Route{"GET /x", "x", Any(), Call(echo[struct {
			A string `query:"a" json:"a"`
		}])},
		Route{"GET /y", "y", Any(), Call(succeed)})
	want(t, b.do("GET", "/x", `{"a":"body"}`), 200, `{"a":"body"}`)
	want(t, b.do("GET", "/x?a=query", `{"a":"body"}`), 200, `{"a":"query"}`)
	want(t, b.do("GET", "/y", `{"a"`), 200, `{"ok":true}`) // not read at all
}

func TestForm(t *testing.T) {
	type in struct {
		Users   []user   `json:"users"`
		Domains []string `json:"domains"`
		Targets struct {
			IDs []int64 `json:"user_ids"`
		} `json:"targets"`
		On   bool   `json:"on"`
		Name string `json:"name"`
	}
	b := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(echo[in])})
	const form = "application/x-www-form-urlencoded"
	want(t, b.do("POST", "/x", "users[1][id]=2&users[0][id]=1&users[0][validate_clicks]=1&domains[]=a&domains[]=b+c&targets[user_ids][]=3&on=true&name=x&name=%C3%A5", "Content-Type", form),
		200, `{"users":[{"id":1,"validate_clicks":true},{"id":2,"validate_clicks":false}],"domains":["a","b c"],"targets":{"user_ids":[3]},"on":true,"name":"å"}`)
	want(t, b.do("POST", "/x", "users[999999999][id]=2&domains[4]=x&domains[]=y", "Content-Type", form),
		200, `{"users":[{"id":2,"validate_clicks":false}],"domains":["x","y"],"targets":{"user_ids":null},"on":false,"name":""}`)
	want(t, b.do("POST", "/x", `domains=["a"]&targets={"user_ids":[1]}&users[0]=x&users[0][id]=4&name[a]=b&name=`, "Content-Type", form),
		200, `{"users":[{"id":4,"validate_clicks":false}],"domains":["a"],"targets":{"user_ids":[1]},"on":false,"name":""}`)
	want(t, b.do("POST", "/x", "users[999999999][id]=x", "Content-Type", form),
		422, `{"message":"The given data was invalid.","code":"validation_failed","errors":{"users.999999999.id":["must be an integer"]}}`)
	want(t, b.do("POST", "/x", "name[=a&name]=b&na[me=c&[name]=d&name[a]b]=e", "Content-Type", form),
		200, `{"users":null,"domains":null,"targets":{"user_ids":null},"on":false,"name":""}`)
	want(t, b.do("POST", "/x", "a"+strings.Repeat("[a]", 33)+"=1", "Content-Type", form),
		400, `{"message":"The form is nested deeper than 32 levels.","code":"malformed_request"}`)
	want(t, b.do("POST", "/x", strings.Repeat("a=&", 10001), "Content-Type", form),
		400, `{"message":"The form is made of more than 10000 fields.","code":"malformed_request"}`)
	var wide strings.Builder
	for i := range 4000 {
		fmt.Fprint(&wide, "&a", i, strings.Repeat("[a]", 30), "=")
	}
	want(t, b.do("POST", "/x", wide.String(), "Content-Type", form),
		400, `{"message":"The form is more than 100000 values.","code":"malformed_request"}`)
	want(t, b.do("POST", "/x", "domains[9223372036854775807]=x", "Content-Type", form),
		400, `{"message":"The form is more than 100000 values.","code":"malformed_request"}`)
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	b := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(echo[everything])})
	plain := newBench(t, Dialect{Errors: sampleErrors{}, Accepts: []string{"application/vnd.api+json"}, ContentType: "application/vnd.api+json"}, Options{},
		Route{"POST /x", "x", Any(), Call(echo[everything])})
	malformed := func(what string) string { return `{"message":"The body is ` + what + `.","code":"malformed_request"}` }
	for body, answer := range map[string]string{
		"{":                             malformed("not valid JSON"),
		"{}x":                           malformed("not valid JSON"),
		"{} {}":                         malformed("not valid JSON"),
		`{"a":}`:                        malformed("not valid JSON"),
		`{"a":01}`:                      malformed("not valid JSON"),
		`{'a':1}`:                       malformed("not valid JSON"),
		"{\"a\":\"\n\"}":                malformed("not valid JSON"),
		" ":                             malformed("not valid JSON"),
		"[]":                            malformed("not a JSON object"),
		"null":                          malformed("not a JSON object"),
		"\xff":                          malformed("not valid UTF-8"),
		"{\"name\":\"\xff\"}":           malformed("not valid UTF-8"),
		"{\"nobody\":\"\xed\xa0\x80\"}": malformed("not valid UTF-8"),
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: malformed("nested deeper than 32 levels"),
		`{"a":` + strings.Repeat("[", 100_000):                            malformed("nested deeper than 32 levels"),
		`{"a":[` + strings.Repeat("0,", 100_000) + `0]}`:                  malformed("more than 100000 values"),
	} {
		want(t, b.do("POST", "/x", body), 400, answer)
	}
	big := `{"name":"` + strings.Repeat("x", bodyLimit) + `"}`
	want(t, b.do("POST", "/x", big), 413, `{"message":"The body is too large.","code":"payload_too_large"}`)
	r := httptest.NewRequest("POST", "/x", io.MultiReader(strings.NewReader(big))) // no Content-Length
	r.Header.Set("Authorization", "admin")
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	want(t, w, 413, `{"message":"The body is too large.","code":"payload_too_large"}`)
	for _, media := range []string{"text/plain", "application/xml", "application/json; charset=latin1", "nonsense;;", "application/vnd.api+json"} {
		if w := b.do("POST", "/x", "{}", "Content-Type", media); w.Code != 415 {
			t.Errorf("%s: %d", media, w.Code)
		}
	}
	if w := b.do("POST", "/x", "{}", "Content-Encoding", "gzip"); w.Code != 415 {
		t.Errorf("gzip: %d", w.Code)
	}
	if w := b.do("POST", "/x", "{}", "Content-Type", "application/json; charset=UTF-8"); w.Code != 200 {
		t.Errorf("charset: %d", w.Code)
	}
	if w := b.do("POST", "/x", "{}", "Content-Type", ""); w.Code != 200 {
		t.Errorf("no type: %d", w.Code)
	}
	for media, status := range map[string]int{"application/json": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415, "application/vnd.api+json": 200} {
		w := plain.do("POST", "/x", "{}", "Content-Type", media)
		if w.Code != status || w.Header().Get("Content-Type") != "application/vnd.api+json" {
			t.Errorf("%s: %d %s", media, w.Code, w.Header())
		}
	}
}

func upload(t *testing.T, b *bench, size int, extra ...string) *httptest.ResponseRecorder {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	m.WriteField("user[name]", "å")
	part, err := m.CreateFormFile("logo", "../../x.png")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(bytes.Repeat([]byte("p"), size))
	m.Close()
	return b.do("POST", "/x", body.String(), append([]string{"Content-Type", m.FormDataContentType()}, extra...)...)
}

func TestFiles(t *testing.T) {
	type in struct {
		Logo *File `json:"logo" required:"true"`
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	}
	run := func(_ context.Context, _ affiliate.Principal, in in) (string, error) {
		f, err := in.Logo.Open()
		if err != nil {
			return "", err
		}
		defer f.Close()
		n, err := io.Copy(io.Discard, f)
		return fmt.Sprint(n, " ", in.Logo.Size, " ", in.Logo.Name, " ", in.User.Name), err
	}
	t.Setenv("TMPDIR", t.TempDir())
	b := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(run).Files(13 << 20)})
	want(t, upload(t, b, 10), 200, `"10 10 x.png å"`)
	want(t, upload(t, b, 13<<20), 200, `"13631488 13631488 x.png å"`)
	want(t, upload(t, b, 13<<20+1), 413, `{"message":"The body is too large.","code":"payload_too_large"}`)
	want(t, upload(t, b, 15<<20), 413, `{"message":"The body is too large.","code":"payload_too_large"}`)
	want(t, b.do("POST", "/x", `{"logo":"content"}`), 200, `"7 7  "`)
	want(t, b.do("POST", "/x", `{"logo":7}`), 422, `{"message":"The given data was invalid.","code":"validation_failed","errors":{"logo":["must be a file"]}}`)
	want(t, b.do("POST", "/x", "--x\r\nbroken", "Content-Type", "multipart/form-data; boundary=x"), 400, `{"message":"The body could not be read.","code":"malformed_request"}`)
	want(t, b.do("POST", "/x", "x", "Content-Type", "multipart/form-data"), 400, `{"message":"The form is multipart without a boundary.","code":"malformed_request"}`)
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) != 0 {
		t.Fatalf("temporary files left: %v %v", left, err)
	}
	small := newBench(t, sampleDialect, Options{}, Route{"POST /x", "x", Any(), Call(run)})
	want(t, upload(t, small, 2<<20), 413, `{"message":"The body is too large.","code":"payload_too_large"}`)
}

func TestPathValuesThatFitNoTypeAreNotFound(t *testing.T) {
	b := newBench(t, sampleDialect, Options{}, Route{"GET /x/{id}", "x", Any(), Call(echo[struct {
		ID int64 `path:"id" json:"id"`
	}])})
	want(t, b.do("GET", "/x/12", ""), 200, `{"id":12}`)
	for _, id := range []string{"abc", "1.5", "9223372036854775808", "%20", "+1"} {
		want(t, b.do("GET", "/x/"+id, ""), 404, notFoundBody)
	}
}

func TestDecodedStringsDoNotKeepTheBodyAlive(t *testing.T) {
	// A name cut from a large body must be a copy: a memory backend keeps it.
	type in struct {
		Name string `json:"name"`
	}
	p, err := compilePlan(reflectTypeOf[in]())
	is := is.New(t)
	is.NoErr(err)
	src := `{"name":"abc"}`
	body, err := parseJSON(src)
	is.NoErr(err)
	var got in
	is.NoErr(p.decode(reflectValueOf(&got), &request{body: body, http: &http.Request{}}))
	is.Equal(got.Name, "abc")
	is.True(dataOf(got.Name) != dataOf(src[9:]))
}
