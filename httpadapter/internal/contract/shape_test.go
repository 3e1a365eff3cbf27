package contract

import (
	"encoding/json"
	"testing"
)

func TestShapesAreCompared(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{`{"a":1}`, `{"a":2,"b":3}`, true},
		{`{"a":1}`, `{"b":3}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":1}`, `{"a":1.5}`, false},
		{`{"a":1}`, `{"a":null}`, false},
		{`{"a":null}`, `{"a":[]}`, true},
		{`{"a":""}`, `{"a":null}`, false},
		{`[{"a":1}]`, `[]`, false},
		{`[{"a":1}]`, `[{"b":1},{"a":1}]`, true},
		{`[]`, `[1]`, true},
		{`[]`, `null`, false},
		{`{"a":true}`, `{"a":1}`, false},
		{`{"a":"{storeId}"}`, `{"a":7}`, true},
		{`{"a":"{storeId}"}`, `{"a":{}}`, false},
	} {
		var want any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		problems := answerProblems(Operation{}, Replay{Status: 200, Answer: c.want}, []byte(c.got))
		if (len(problems) == 0) != c.ok {
			t.Errorf("%s against %s: %v", c.got, c.want, problems)
		}
	}
}

func TestFieldsAreFoundAtAnyDepth(t *testing.T) {
	body := map[string]any{"a": 1, "list": []any{map[string]any{"id": 2, "x": 3}}}
	for _, path := range [][]string{{"a"}, {"new"}, {"list", "*", "id"}} {
		if !setField(body, path, "set") {
			t.Errorf("%v was not found", path)
		}
	}
	if setField(body, []string{"a", "b"}, 1) || setField(body, []string{"none", "*", "id"}, 1) {
		t.Error("a field was set where there is no place for it")
	}
	setField(body, []string{"list", "*", "x"}, absent{})
	if got := jsonText(body); got != `{"a":"set","list":[{"id":"set"}],"new":"set"}` {
		t.Error(got)
	}
}
