package contract

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func (s Suite) testRoutes(t *testing.T) {
	var documented, served []string
	for _, o := range s.Built() {
		documented = append(documented, o.ID+" "+o.Pattern())
	}
	for _, r := range s.Routes {
		// A documented {path} may stand for the rest of the path, slashes included.
		served = append(served, r.ID+" "+strings.Replace(r.Pattern, "...}", "}", 1))
	}
	slices.Sort(documented)
	slices.Sort(served)
	for _, line := range documented {
		if !slices.Contains(served, line) {
			t.Errorf("documented and not served: %s", line)
		}
	}
	for _, line := range served {
		if !slices.Contains(documented, line) {
			t.Errorf("served and not documented, or not built: %s", line)
		}
	}
	for i, id := range s.NotBuilt {
		s.Facts.Operation(t, id)
		if slices.Contains(s.NotBuilt[:i], id) {
			t.Errorf("%q stands twice among what is not built", id)
		}
	}
	deprecated := map[string]bool{}
	for _, o := range s.Built() {
		deprecated[o.ID] = o.Deprecated
	}
	w := s.Memory(t)
	for _, r := range s.Routes {
		if open := slices.Contains(s.Open, r.ID); r.Scope.IsOpen() != open {
			t.Errorf("%s: open is %v", r.ID, !open)
		}
		path := strings.NewReplacer("{", "", "...}", "", "}", "").Replace(r.Path())
		if says := w.Send(s.Principals[0], r.Methods()[0], path, "").Header().Get("Deprecation") != ""; says != deprecated[r.ID] {
			t.Errorf("%s: deprecated is %v", r.ID, says)
		}
	}
}

func (s Suite) testParameters(t *testing.T) {
	inputs := map[string]map[string]bool{}
	for _, r := range s.Routes {
		if r.Op.In() == nil {
			continue // reads the request itself
		}
		inputs[r.ID] = InputNames(r.Op.In())
	}
	var unread []string
	for _, o := range s.Built() {
		reads, ok := inputs[o.ID]
		if !ok {
			continue
		}
		documented := map[string]bool{}
		for _, p := range o.PathParams {
			documented["path "+p.Name] = true
		}
		for _, p := range o.Query {
			documented["query "+p.Name] = true
		}
		for _, p := range o.Body {
			documented["json "+p.Name] = true
		}
		if body, ok := o.Request.(map[string]any); ok {
			for name := range body {
				documented["json "+name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(documented)) {
			if !reads[name] && !reads[name+".*"] {
				_, field, _ := strings.Cut(name, " ")
				unread = append(unread, o.ID+" "+field)
				if !slices.Contains(s.Unread, o.ID+" "+field) {
					t.Errorf("%s does not read %s", o.ID, name)
				}
			}
		}
	}
	for _, name := range s.Unread {
		if !slices.Contains(unread, name) {
			t.Errorf("%s is read, or not documented", name)
		}
	}
}

// InputNames are the names that an input reads, after their source: "path id",
// "query page", "json users.*.id". A field that reads itself, or a map, has its
// own name alone, and again with ".*" for whatever lies below it.
func InputNames(t reflect.Type) map[string]bool {
	names := map[string]bool{}
	addNames(names, t, "", "")
	return names
}

func addNames(to map[string]bool, t reflect.Type, source, under string) {
	for i := range t.NumField() {
		field := t.Field(i)
		tagged := false
		for _, from := range []string{"path", "query", "json"} {
			name, ok := field.Tag.Lookup(from)
			name, _, _ = strings.Cut(name, ",")
			if !ok || name == "-" || source != "" && from != "json" {
				continue
			}
			tagged = true
			top := source
			if top == "" {
				top = from
			}
			for _, n := range append([]string{name}, strings.Split(field.Tag.Get("alias"), ",")...) {
				if n != "" {
					to[top+" "+under+n] = true
					addBelow(to, field.Type, top, under+n)
				}
			}
		}
		if field.Anonymous && !tagged && field.Type.Kind() == reflect.Struct {
			addNames(to, field.Type, source, under)
		}
	}
}

// addBelow adds the names inside a field.
func addBelow(to map[string]bool, t reflect.Type, source, at string) {
	switch t.Kind() {
	case reflect.Pointer:
		addBelow(to, t.Elem(), source, at)
	case reflect.Slice:
		addBelow(to, t.Elem(), source, at+".*")
	case reflect.Struct:
		if value, ok := t.FieldByName("Value"); ok && strings.Contains(t.Name(), "Optional[") {
			addBelow(to, value.Type, source, at)
			return
		}
		addNames(to, t, source, at+".")
	}
}
