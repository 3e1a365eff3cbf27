package wire

import "testing"

func TestListsInSpellingsOfTheirOwn(t *testing.T) {
	for text, want := range map[string]string{
		`['a@b.c']`:                          `["a@b.c"]`,
		`[{'id':1}]`:                         `[{"id":1}]`,
		`[{'id':1,'n':'v'}]`:                 `[{"id":1,"n":"v"}]`,
		`[clicks,order_value]`:               `["clicks","order_value"]`,
		`[ clicks , 5, true]`:                `[ "clicks", 5, true]`,
		`{tags:[1,2]}`:                       `{"tags":[1,2]}`,
		`['it\'s', "a"]`:                     ``,
		`[01]`:                               `["01"]`,
		`[]`:                                 `[]`,
		`[a`:                                 ``,
		`['a`:                                ``,
		`a]`:                                 ``,
		`[a}`:                                ``,
		`[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`: ``,
	} {
		v, err := parseRelaxed(text)
		got := string(v.JSON())
		if want == "" && text != `['it\'s', "a"]` {
			if err == nil {
				t.Errorf("%s was taken as %s", text, got)
			}
			continue
		}
		if want != "" && (err != nil || got != want) {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}

func FuzzRelaxedLists(f *testing.F) {
	for _, seed := range []string{`['a@b.c']`, `[{'id':1}]`, `[clicks,order_value]`, `{a:'b',"c":[1]}`, `['a`, `]`, "[\xff]", `[a:b]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseRelaxed(s)
		if err == nil {
			if _, err := parseJSON(string(v.JSON())); err != nil {
				t.Errorf("%q: %s is no JSON", s, v.JSON())
			}
		}
	})
}
