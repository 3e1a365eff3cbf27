package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// placeholder is how a document prints a value that it does not tell: it may be
// of any scalar type.
var placeholder = regexp.MustCompile(`^\{[A-Za-z_]+\}$`)

// shapeProblems says where got has not the fields and types of want. A null or
// a "{placeholder}" that is documented says nothing about the type. Of a list,
// each documented element must have one of its shape.
func shapeProblems(at string, want, got any) []string {
	switch want := want.(type) {
	case nil:
		return nil
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		var problems []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			value, ok := object[name]
			if !ok {
				problems = append(problems, at+"."+name+" is missing")
				continue
			}
			problems = append(problems, shapeProblems(at+"."+name, want[name], value)...)
		}
		return problems
	case []any:
		list, ok := got.([]any)
		if !ok {
			return []string{at + " is no list"}
		}
		for i, element := range want {
			fits := func(v any) bool { return len(shapeProblems("", element, v)) == 0 }
			if !slices.ContainsFunc(list, fits) {
				problem := fmt.Sprintf("%s has nothing like its documented element %d", at, i)
				for _, v := range list {
					problem += "; " + strings.Join(shapeProblems(at, element, v), ", ")
				}
				return []string{problem}
			}
		}
		return nil
	case float64:
		number, ok := got.(json.Number)
		if !ok {
			return []string{at + " is no number"}
		}
		if _, err := number.Int64(); err != nil && want == float64(int64(want)) && !strings.Contains(at, "revenue_share") {
			return []string{at + " is no integer"}
		}
		return nil
	case string:
		if placeholder.MatchString(want) {
			switch got.(type) {
			case map[string]any, []any:
				return []string{at + " is no scalar"}
			}
			return nil
		}
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		return []string{fmt.Sprintf("%s is %T, want %T", at, got, want)}
	}
	return nil
}
