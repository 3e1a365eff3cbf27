package wire

import (
	"net/http"
	"reflect"
	"strconv"
	"unsafe"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func reflectTypeOf[T any]() reflect.Type       { return reflect.TypeFor[T]() }
func reflectValueOf[T any](p *T) reflect.Value { return reflect.ValueOf(p).Elem() }
func dataOf(s string) *byte                    { return unsafe.StringData(s) }

// sampleErrors is the error form of the dialect that these tests speak.
type sampleErrors struct{}

func (sampleErrors) EncodeError(p Problem) (int, any) {
	body := struct {
		Message string              `json:"message"`
		Code    string              `json:"code"`
		Errors  map[string][]string `json:"errors,omitempty"`
	}{Message: p.Message, Code: p.Code}
	if p.Status == http.StatusUnprocessableEntity && len(p.Fields) > 0 {
		body.Errors = map[string][]string{}
		for _, f := range p.Fields {
			body.Errors[f.Field] = append(body.Errors[f.Field], f.Message)
		}
	}
	return p.Status, body
}

// ofAdvertiser is a scope with a path parameter, as a dialect makes its own.
func ofAdvertiser(param string) Scope {
	return Scope{Name: "advertiser", Param: param, Allow: func(p affiliate.Principal, value string) error {
		if p.Role != affiliate.RoleAdmin && p.Role != affiliate.RoleRepresentative && p.Role != affiliate.RoleAgency {
			return affiliate.Forbidden("")
		}
		if id, err := strconv.ParseInt(value, 10, 64); err != nil || !p.ActsFor(id) {
			return affiliate.NotFound("advertiser", value)
		}
		return nil
	}}
}
