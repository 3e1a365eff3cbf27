package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// checkClean fails on a string that a handler must never see.
func checkClean(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			t.Fatalf("handler sees %q", s)
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem().PkgPath() == "" {
			checkClean(t, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkClean(t, v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			checkClean(t, k)
			checkClean(t, v.MapIndex(k))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				checkClean(t, v.Field(i))
			}
		}
	}
}

// countValues is the size of a tree.
func countValues(v Value) int {
	n := 1
	for _, item := range v.items {
		n += countValues(item)
	}
	return n
}

func decodeEverything(t *testing.T, body Value) {
	t.Helper()
	if n := countValues(body); n > maxValues+maxDepth {
		t.Fatalf("%d values", n)
	}
	p, err := compilePlan(reflect.TypeFor[everything]())
	if err != nil {
		t.Fatal(err)
	}
	var in everything
	if p.decode(reflect.ValueOf(&in).Elem(), &request{body: body, lenient: true, http: &http.Request{}}) == nil {
		checkClean(t, reflect.ValueOf(in))
		if raw := in.Any.JSON(); raw != nil && !json.Valid(raw) {
			t.Fatalf("Value.JSON is %q", raw)
		}
		if len(in.Raw) > 0 && !json.Valid(in.Raw) {
			t.Fatalf("raw is %q", in.Raw)
		}
	}
}

func FuzzJSONDecode(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `null`, `{"id":1,"name":"a","on":true}`, `{"name":"\u0000"}`, `{"name":"\ud800"}`, `{"name":"\ud83d\uded2"}`,
		"{\"name\":\"\xff\"}", `{"users":[{"id":"1"}],"metadata":{"a":"b"},"any":[1e5,-0.5,{}]}`, `{"raw":{"\ud800":null}}`,
		`{"a":1} x`, `{"a":01}`, `{"levels":"[1,2]"}`, `{"rate":1e1000000000}`, `{"billing":{"city":"\\"}}`, strings.Repeat("[", 50),
		"\u2028", `"\x"`, `{"at":"2026-03-18T11:42:10Z","uuid":"0198aaaa-0000-7000-8000-000000000000","cost":{"currency":"EUR"}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseJSON(s)
		if valid := json.Valid([]byte(s)) && utf8.ValidString(s); valid != (err == nil) && !errors.Is(err, errDepth) && !errors.Is(err, errCount) {
			t.Fatalf("%q: encoding/json says %v, we say %v", s, valid, err)
		}
		if err == nil {
			sameAsStandard(t, v, s)
			decodeEverything(t, v)
		}
	})
}

// sameAsStandard compares a tree with what encoding/json makes of the text,
// where that one is right: faulty strings are left out.
func sameAsStandard(t *testing.T, v Value, s string) {
	t.Helper()
	if v.unusable() != "" {
		return
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var expected any
	if err := d.Decode(&expected); err != nil {
		t.Fatal(err)
	}
	if got := plainValue(v); !reflect.DeepEqual(got, expected) {
		t.Fatalf("%q: got %#v, want %#v", s, got, expected)
	}
}

func plainValue(v Value) any {
	switch v.Kind() {
	case Bool:
		return v.Text() == "true"
	case Number:
		return json.Number(v.Text())
	case Text:
		return v.Text()
	case Array:
		list := make([]any, len(v.Items()))
		for i, item := range v.Items() {
			list[i] = plainValue(item)
		}
		return list
	case Object:
		object := make(map[string]any)
		for i, k := range v.Keys() {
			object[k] = plainValue(v.Items()[i])
		}
		return object
	}
	return nil
}

func TestParsedJSONIsWhatTheStandardLibraryReads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var value func(depth int) *rapid.Generator[any]
		value = func(depth int) *rapid.Generator[any] {
			return rapid.Custom(func(rt *rapid.T) any {
				switch n := rapid.IntRange(0, 6).Draw(rt, "kind"); {
				case n == 0:
					return nil
				case n == 1:
					return rapid.Bool().Draw(rt, "bool")
				case n == 2:
					return rapid.Float64Range(-1e20, 1e20).Draw(rt, "number")
				case n <= 4 || depth == 0:
					return rapid.String().Draw(rt, "text")
				case n == 5:
					return rapid.SliceOfN(value(depth-1), 0, 4).Draw(rt, "list")
				default:
					return rapid.MapOfN(rapid.String(), value(depth-1), 0, 4).Draw(rt, "object")
				}
			})
		}
		text, err := json.Marshal(value(4).Draw(rt, "value"))
		if err != nil {
			rt.Fatal(err)
		}
		v, err := parseJSON(string(text))
		if err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		sameAsStandard(t, v, string(text))
	})
}

func FuzzFormDecode(f *testing.F) {
	for _, s := range []string{
		"", "a=1", "id=1&name=x&on=1", "users[0][id]=1&users[0][validate_clicks]=0", "domains[]=a&domains[]=b", "users[999999999][id]=1",
		"users[9223372036854775807][id]=1&users[][id]=2", "metadata[%ff]=x", "name=%00", "name=%ff", "name=%zz", "[k]=v", "a[b=c", "a]=[",
		"a[[]]=1", "a[]b]=1", "a=1&a[b]=2&a=3", "levels=[1,2]", "billing[city]=x&patch=", "any[a][b][]=1", strings.Repeat("a[]", 40), "&&&=&=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseForm(s)
		if err != nil {
			return
		}
		decodeEverything(t, v)
	})
}

// FuzzRequest sends anything to a mux: nothing but the dialect's own answers
// come out.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v2/things/1", "", "")
	f.Add("POST", "/v2/things/1?a[]=1", `{"id":1}`, "application/json")
	f.Add("POST", "//v2//things/%2e%2e/1/", `a=b`, "application/x-www-form-urlencoded")
	f.Add("PUT", "/catalog", "--x", "multipart/form-data; boundary=x")
	f.Add("CONNECT", "/proxy", "", "")
	f.Add("OPTIONS", "/", "", ";")
	mux, err := NewMux(sampleDialect, Options{Authenticator: people}, []Route{
		{"GET,POST /v2/things/{id}", "a", Any(), Call(echo[everything])},
		{"GET /catalog/", "b", Any(), Call(succeed)},
		{"POST /proxy/{path...}", "c", Open(), Call(succeed)},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, body, contentType string) {
		r, err := http.NewRequest(method, target, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", "admin")
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 404, 405, 413, 415, 422:
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%d %s %s", w.Code, w.Header(), w.Body)
		}
	})
}
