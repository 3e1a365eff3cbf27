// Package sqllint finds in SQL what engines that speak PostgreSQL's protocol refuse,
// or do otherwise. Its tests look at every migration and at every statement that the
// Postgres backend sends while the conformance suite runs.
package sqllint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A Statement is a text that is sent to the server at once.
type Statement struct {
	Text         string
	Migration    bool // it is a step of a migration
	Serializable bool // its transaction is
}

// A Rule is one construct.
type Rule struct {
	Name    string
	Engines string // that refuse it, or do otherwise
	Reason  string
	find    func(s Statement, node proto.Message) string // what of it the node is; "": nothing
}

// An Exception is what PostgreSQL needs: the rule does not hold for statements that
// the pattern matches. White space counts as one blank.
type Exception struct {
	Rule, Pattern, Reason string
}

// A Finding is a construct in a statement.
type Finding struct {
	Rule      Rule
	What      string
	Statement string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s\n\trefused or done otherwise by %s: %s\n\tin %.300s", f.Rule.Name, f.What, f.Rule.Engines, f.Rule.Reason, f.Statement)
}

// Lint returns what the rules find, but for the exceptions, and those exceptions that
// nothing needed.
func Lint(statements []Statement, exceptions []Exception) (found []Finding, unused []Exception, err error) {
	used := make([]bool, len(exceptions))
	for _, s := range statements {
		tree, err := pg.Parse(s.Text)
		if err != nil {
			return nil, nil, fmt.Errorf("sqllint: %w in %s", err, s.Text)
		}
		text := OneLine(s.Text)
		walk(tree.ProtoReflect(), func(node proto.Message) {
			for _, rule := range Rules {
				what := rule.find(s, node)
				if what == "" {
					continue
				}
				i := slices.IndexFunc(exceptions, func(x Exception) bool {
					return x.Rule == rule.Name && regexp.MustCompile(x.Pattern).MatchString(text)
				})
				if i >= 0 {
					used[i] = true
					continue
				}
				found = append(found, Finding{rule, what, text})
			}
		})
	}
	for i, x := range exceptions {
		if !used[i] {
			unused = append(unused, x)
		}
	}
	return found, unused, nil
}

// OneLine is a text without comments, with a blank for all white space.
func OneLine(text string) string {
	return strings.Join(strings.Fields(comment.ReplaceAllString(text, " ")), " ")
}

var comment = regexp.MustCompile(`(?m)--.*$`)

// walk visits a message and all below it.
func walk(m protoreflect.Message, visit func(proto.Message)) {
	visit(m.Interface())
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for i := range v.List().Len() {
				walk(v.List().Get(i).Message(), visit)
			}
		default:
			walk(v.Message(), visit)
		}
		return true
	})
}
