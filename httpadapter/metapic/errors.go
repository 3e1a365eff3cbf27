package metapic

import (
	"errors"
	"net/http"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

// errorForm is the dialect's error form, with the advertisers to choose from
// where a URL has several.
type errorForm struct{ laravel.Errors }

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
		return f.Errors.EncodeError(p)
	}
	body := ambiguous{
		Message: p.Message, Code: p.Code,
		Errors:      laravel.FieldMessages(p.Fields),
		Advertisers: laravel.ShowAll(e.Advertisers, showChoice),
	}
	return p.Status, body
}
