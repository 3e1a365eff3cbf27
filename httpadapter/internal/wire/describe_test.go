package wire

import (
	"context"
	"reflect"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

type describedInput struct {
	ID     int64            `path:"id"`
	Size   int              `query:"size" default:"20" min:"1" max:"100"`
	By     affiliate.Sort   `query:"sort_by" sort:"id,name"`
	States []string         `query:"states" json:"states" enum:"open,done" max:"5"`
	Name   Optional[string] `json:"name" alias:"title" max:"255"`
	Owner  *struct {
		Email string `json:"email" required:"true"`
	} `json:"owner"`
}

func TestARouteIsDescribedByItsTags(t *testing.T) {
	is := is.New(t)
	type reply = Reply[Either[map[string]int, Stream]]
	mux, err := NewMux(sampleDialect, Options{}, []Route{{"PUT /things/{id}", "thing-update", Any(),
		Call(func(context.Context, affiliate.Principal, describedInput) (reply, error) { return reply{}, nil }).Also(201).Sends("text/csv").Deprecated()}})
	is.NoErr(err)
	d := mux.Describe()[0]
	is.Equal(d.Status, []int{200, 201})
	is.Equal(d.Out, []reflect.Type{reflect.TypeFor[map[string]int]()}) // the stream is no JSON
	is.Equal(d.Media, []string{"text/csv"})
	is.True(d.Body && d.Deprecated && !d.Files && !d.Raw)
	var names []string
	for _, f := range d.Fields {
		names = append(names, string(f.In)+" "+f.Name)
	}
	is.Equal(names, []string{"path id", "query size", "query sort_by", "query states", "body states", "body name", "body owner"})
	size, by, states, name, owner := d.Fields[1], d.Fields[2], d.Fields[3], d.Fields[5], d.Fields[6]
	is.Equal([]string{size.Default, size.Min, size.Max}, []string{"20", "1", "100"})
	is.Equal(by.Sort, []string{"id", "name"})
	is.Equal([]any{states.Max, states.Enum, states.Items.Enum}, []any{"5", []string(nil), []string{"open", "done"}})
	is.Equal([]any{name.Aliases, name.Max, name.Null, name.Type}, []any{[]string{"title"}, "255", true, reflect.TypeFor[string]()})
	is.True(owner.Null && owner.Fields[0].Required)
}

func TestAnEitherIsPrintedAsWhatItHolds(t *testing.T) {
	is := is.New(t)
	text, err := encodeJSON([]Either[int, string]{First[int, string](1), Second[int]("a&b"), {}})
	is.NoErr(err)
	is.Equal(string(text), `[1,"a&b",null]`)
	is.Equal(Alternatives(reflect.TypeFor[Either[int, string]]()), []reflect.Type{reflect.TypeFor[int](), reflect.TypeFor[string]()})
	is.Equal(len(Alternatives(reflect.TypeFor[int]())), 0)
}
