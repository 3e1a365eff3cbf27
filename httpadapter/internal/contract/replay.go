package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Replay adapts a documented request to the world: the things that its examples
// name must be there. Everything else is sent as documented.
type Replay struct {
	Who    string
	Path   map[string]string // parameter → fixture
	Query  map[string]any    // in place of the examples; nil leaves the parameter out
	Body   map[string]any    // in place of fields of the example; nil is null
	Status int
	Answer string   // the shape of the answer where the document prints none
	Null   []string // numbers of the document for which the world has none
	File   string   // what an answer that is a file begins with
}

func (s Suite) testReplay(t *testing.T) {
	document := DocumentOf(t, s.Document)
	s.eachBackend(t, func(t *testing.T, w World) {
		replays := s.Replays(w)
		for _, o := range s.Built() {
			r, ok := replays[o.ID]
			if !ok {
				t.Errorf("%s has no line in the replay", o.ID)
				continue
			}
			delete(replays, o.ID)
			for _, method := range o.Methods {
				got := w.Send(r.Who, method, PathIn(w, o, r)+QueryOf(o, r), RequestOf(o, r))
				if got.Code != r.Status {
					t.Errorf("%s %s: got %d %s, want %d", o.ID, method, got.Code, got.Body, r.Status)
					continue
				}
				for _, problem := range answerProblems(o, r, got.Body.Bytes()) {
					t.Errorf("%s %s: %s in %s", o.ID, method, problem, got.Body)
				}
				if err := document.Check(method, o.Path, got); err != nil {
					t.Errorf("%s %s: %v in %s", o.ID, method, err, got.Body)
				}
				for _, response := range o.Responses {
					for name, value := range response.Headers {
						if got := got.Header().Get(name); got != value && !strings.HasPrefix(name, "x-ratelimit-") {
							t.Errorf("%s: header %s is %q, want %q", o.ID, name, got, value)
						}
					}
				}
			}
		}
		for id := range replays {
			t.Errorf("%s is replayed and not built", id)
		}
	})
}

// SendDocumented sends the documented request of an operation.
func (s Suite) SendDocumented(w World, o Operation) *httptest.ResponseRecorder {
	r := s.Replays(w)[o.ID]
	return w.Send(r.Who, o.Methods[0], PathIn(w, o, r)+QueryOf(o, r), RequestOf(o, r))
}

// PathIn is the operation's path in the world.
func PathIn(w World, o Operation, r Replay) string {
	path := o.Path
	for parameter, name := range r.Path {
		path = strings.ReplaceAll(path, "{"+parameter+"}", w.Value(name))
	}
	return path
}

// QueryOf is the documented query string, with its "?".
func QueryOf(o Operation, r Replay) string {
	values := url.Values{}
	for _, p := range o.Query {
		maps.Copy(values, queryOf(p, r))
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

func queryOf(p Parameter, r Replay) url.Values {
	values := url.Values{}
	value := p.Example
	if override, ok := r.Query[p.Name]; ok {
		value = override
	}
	switch v := value.(type) {
	case nil:
	case []any:
		for _, item := range v {
			values.Add(p.Name+"[]", fmt.Sprint(item))
		}
	case bool:
		values.Set(p.Name, map[bool]string{true: "1", false: "0"}[v])
	default:
		values.Set(p.Name, fmt.Sprint(v))
	}
	return values
}

// BodyOf are the fields of the documented request; nil when it has no body.
func BodyOf(o Operation, r Replay) map[string]any {
	documented, ok := o.Request.(map[string]any)
	if !ok {
		return nil
	}
	body := maps.Clone(documented)
	maps.Copy(body, r.Body)
	return body
}

// RequestOf is the documented request body, or "".
func RequestOf(o Operation, r Replay) string {
	body := BodyOf(o, r)
	if body == nil {
		return ""
	}
	return jsonText(body)
}

// answerProblems says what an answer lacks of what is documented.
func answerProblems(o Operation, r Replay, body []byte) []string {
	if r.Status == 204 {
		if len(body) > 0 {
			return []string{"a body"}
		}
		return nil
	}
	if r.File != "" {
		if !bytes.HasPrefix(body, []byte(r.File)) {
			return []string{"no file that begins with " + strconv.Quote(r.File)}
		}
		return nil
	}
	var got any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&got); err != nil {
		return []string{err.Error()}
	}
	var want any
	for _, response := range o.Responses {
		if response.Example != nil {
			want = response.Example
		}
	}
	if r.Answer != "" {
		if err := json.Unmarshal([]byte(r.Answer), &want); err != nil {
			return []string{"the shape: " + err.Error()}
		}
	}
	if want == nil {
		return []string{"no documented answer to compare with"}
	}
	problems := shapeProblems("", want, got)
	for _, field := range r.Null {
		i := slices.Index(problems, "."+field+" is no number")
		if i < 0 {
			problems = append(problems, "."+field+" is a number, and its line says there is none")
			continue
		}
		problems = slices.Delete(problems, i, i+1)
	}
	return problems
}
