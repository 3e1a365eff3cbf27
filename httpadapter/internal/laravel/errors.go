package laravel

import (
	"errors"
	"net/http"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// Errors is the error form: {"message", "code"}, and with 422 the failing
// fields under "errors".
type Errors struct{}

type errorBody struct {
	Message string              `json:"message"`
	Code    string              `json:"code"`
	Errors  map[string][]string `json:"errors,omitempty"`
}

// EncodeError builds the body.
func (Errors) EncodeError(p wire.Problem) (int, any) {
	body := errorBody{Message: p.Message, Code: p.Code}
	if p.Status == http.StatusUnprocessableEntity && len(p.Fields) > 0 {
		body.Errors = FieldMessages(p.Fields)
	}
	return p.Status, body
}

// FieldMessages returns the messages of each field, in their order.
func FieldMessages(fields []affiliate.FieldError) map[string][]string {
	messages := make(map[string][]string, len(fields))
	for _, f := range fields {
		messages[f.Field] = append(messages[f.Field], f.Message)
	}
	return messages
}

// Invalid returns a validation error of one field.
func Invalid(field, code, message string) error {
	var v affiliate.Validation
	v.Add(field, code, message)
	return v.Err("")
}

// UnderName gives a validation error of one field the name that the document
// has for the field. Other errors stay as they are.
func UnderName(field string, err error) error {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || len(e.Fields) != 1 {
		return err
	}
	return Invalid(field, e.Fields[0].Code, e.Fields[0].Message)
}
