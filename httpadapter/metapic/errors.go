package metapic

import (
	"errors"
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

// errorForm is the dialect's error form, with the advertisers to choose from
// where a URL has several.
type errorForm struct{ wire.MetapicErrors }

// ambiguous is the answer to a URL that several advertisers have.
type ambiguous struct {
	Message     string              `json:"message"`
	Code        string              `json:"code"`
	Errors      map[string][]string `json:"errors"`
	Advertisers []advertiserChoice  `json:"advertisers"`
}

// EncodeError builds the body.
func (f errorForm) EncodeError(p wire.Problem) (int, any) {
	e, ok := errors.AsType[*links.AmbiguousError](p.Err)
	if !ok || p.Status != http.StatusUnprocessableEntity {
		return f.MetapicErrors.EncodeError(p)
	}
	body := ambiguous{
		Message: p.Message, Code: p.Code,
		Errors:      make(map[string][]string, len(p.Fields)),
		Advertisers: showAll(e.Advertisers, showChoice),
	}
	for _, field := range p.Fields {
		body.Errors[field.Field] = append(body.Errors[field.Field], field.Message)
	}
	return p.Status, body
}

// invalid is a validation error of one field.
func invalid(field, code, message string) error {
	var v affiliate.Validation
	v.Add(field, code, message)
	return v.Err("")
}

// underName is a validation error of one field under the name that the document
// has for it.
func underName(field string, err error) error {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || len(e.Fields) != 1 {
		return err
	}
	return invalid(field, e.Fields[0].Code, e.Fields[0].Message)
}
