package contract

import (
	"net/http/httptest"
	"testing"

	"github.com/matryer/is"
)

func TestAnAnswerIsHeldAgainstTheDocument(t *testing.T) {
	is := is.New(t)
	d := DocumentOf(t, "metapic")
	fits := func(status int, body string) bool {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, err := w.WriteString(body)
		is.NoErr(err)
		return d.Check("POST", "/v3/users/3/affiliate-links?x=1", w) == nil
	}
	const advertiser = `,"user_id":3,"country":"SE","provider":"direct","advertiser":{"id":1,"name":"Acme"}`
	is.True(fits(201, `{"id":7,"url":"u","original_url":"u","mtpc_url":"m"`+advertiser+`}`))
	is.True(fits(200, `{"id":null,"url":"u","original_url":"u","mtpc_url":null`+advertiser+`}`))
	is.True(fits(404, `{"message":"Not found.","code":"not_found"}`))
	for _, wrong := range []string{
		`{"id":"7","url":"u","original_url":"u","mtpc_url":"m"` + advertiser + `}`,        // a text
		`{"id":7,"url":null,"original_url":"u","mtpc_url":"m"` + advertiser + `}`,         // null
		`{"id":7,"url":"u","mtpc_url":"m"` + advertiser + `}`,                             // a field is missing
		`{"id":7,"url":"u","original_url":"u","mtpc_url":"m","more":1` + advertiser + `}`, // one too many
		`{"id":7.5,"url":"u","original_url":"u","mtpc_url":"m"` + advertiser + `}`,        // a fraction
		`[]`,
	} {
		is.True(!fits(200, wrong))
	}
	is.True(!fits(202, `{}`))                       // a status that is not documented
	is.True(!fits(404, `{"message":"Not found."}`)) // without its code
	_, known := d.find("GET", "/v2/nothing")
	is.True(!known)
	op, _ := d.find("GET", "/v2/advertisers/{advertiser acme}/order-collectors/sales-pixel")
	is.Equal(op.OperationID, "metapic-order-collector-sales-pixel-get") // the word, not the parameter in its place
}
