package metapic_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/market"
)

const (
	annasNetwork = "401 200 403 403 403 403 403 200 404 403 403 403 403" // of a payment or a user of client north
	bosNetwork   = "401 200 403 403 403 403 403 404 200 403 403 403 403"
	noNetwork    = "401 200 403 403 403 403 403 404 404 403 403 403 403"
	noPayment    = "401 404 403 403 403 403 403 404 404 403 403 403 403"
)

var payoutTenancy = []row{
	{"advertiser-payment-setup-get", "GET", "/v2/advertisers/{advertiser acme}/payment-setup", "", acmeOnly},
	{"advertiser-payment-setup-get", "GET", "/v2/advertisers/{advertiser nordic}/payment-setup", "", nordicOnly},
	{"advertiser-payment-setup-get", "GET", "/v2/advertisers/999999/payment-setup", "", noStore},
	{"advertiser-payment-setup-create", "POST", "/v2/advertisers/{advertiser acme}/payment-setup", `{"payment_setup_id":"x"}`, created(acmeOnly)},
	{"advertiser-payment-setup-create", "POST", "/v2/advertisers/{advertiser nordic}/payment-setup", `{"payment_setup_id":"x"}`, created(nordicOnly)},
	{"advertiser-payment-setup-create", "POST", "/v2/advertisers/999999/payment-setup", `{"payment_setup_id":"x"}`, noStore},
	{"store-payment-update", "PUT", "/v2/stores/{advertiser acme}/payment", `{"payment_setup_id":"x"}`, acmeOnly},
	{"store-payment-update", "POST", "/v2/stores/{advertiser nordic}/payment", `{"payment_setup_id":"x"}`, nordicOnly},
	{"store-payment-update", "PUT", "/v2/stores/999999/payment", `{"payment_setup_id":"x"}`, noStore},
	{"payment-invoices-zip", "GET", "/v2/payments/getPaymentInvoices?payment_period=2026-02", "", networks},
	{"payments-upload-ax-id-matching", "POST", "/v2/payments/upload-ax-id-matching", `{"file":"ax_id,user_id\n1,‹user anna›\n"}`, networks},
	{"payments-mark-invoices-as-paid", "POST", "/v2/payments/mark-invoices-as-paid", `{"file":"invoice_number,paid_at\n‹invoice anna›,2026-03-01\n"}`, networks},
	{"payment-generate-creator-invoice", "POST", "/v2/payments/generate-creator-invoice/{payment anna}", "", annasNetwork},
	{"payment-generate-creator-invoice", "POST", "/v2/payments/generate-creator-invoice/{payment bo}", "", bosNetwork},
	{"payment-generate-creator-invoice", "POST", "/v2/payments/generate-creator-invoice/{payment dora}", "", noNetwork},
	{"payment-generate-creator-invoice", "POST", "/v2/payments/generate-creator-invoice/999999", "", noPayment},
	{"payment-generate-creator-invoice", "POST", "/v2/payments/generate-creator-invoice/iusto", "", noPayment},
	{"payment-systems-config-list", "GET", "/v2/payments/systems-config", "", networks},
	{"payment-systems-config-list", "GET", "/v2/payments/systems-config?user_id={user anna}", "", "401 200 403 403 403 403 403 200 422 403 403 403 403"},
	{"payment-systems-config-update", "POST", "/v2/payments/systems-config", `{"date":"2026-03-01","user_id":‹user bo›,"system":2}`, "401 200 403 403 403 403 403 422 200 403 403 403 403"},
}

var moreBadPayouts = []badCase{
	{"payment-invoices-zip: no month", "admin", "GET", "/v2/payments/getPaymentInvoices?payment_period=2026-13", "", ""},
	{"payment-invoices-zip: a day", "admin", "POST", "/v2/payments/getPaymentInvoices", `{"payment_period":"2026-02-01"}`, ""},
	{"payments-upload-ax-id-matching: no header", "admin", "POST", "/v2/payments/upload-ax-id-matching", `{"file":"1,2\n"}`, ""},
	{"payments-upload-ax-id-matching: nothing", "admin", "POST", "/v2/payments/upload-ax-id-matching", `{"file":""}`, ""},
	{"payments-mark-invoices-as-paid: another column", "admin", "POST", "/v2/payments/mark-invoices-as-paid", `{"file":"invoice_number,date\n"}`, ""},
	{"payments-mark-invoices-as-paid: no UTF-8", "admin", "POST", "/v2/payments/mark-invoices-as-paid", `{"file":"/////w=="}`, ""},
	{"payment-systems-config-update: locked", "admin", "POST", "/v2/payments/systems-config", `{"date":"2026-02-01","system":2}`, ""},
	{"payment-systems-config-update: another client's user", "admin", "POST", "/v2/payments/systems-config", `{"date":"2026-03-01","client_id":‹client north›,"user_id":‹user bo›,"system":2}`, ""},
	{"payment-systems-config-update: unknown ids", "admin", "POST", "/v2/payments/systems-config", `{"date":"2026-03-01","client_id":999999,"user_id":999999,"system":2}`, ""},
	{"payment-systems-config-list: unknown ids", "admin", "GET", "/v2/payments/systems-config?client_id=999999&user_id=999999", "", ""},
	{"advertiser-payment-setup-create: nothing", "advertiser", "POST", "/v2/advertisers/{advertiser acme}/payment-setup", `{"payment_setup_id":""}`, ""},
}

func TestAnInvoiceIsMadeFetchedAndPaid(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *market.World) {
		is := is.New(t)
		invoice := func(who string) (number, status string) {
			var got struct {
				Number string `json:"invoice_number"`
				Status string `json:"status"`
			}
			answer := w.Send(who, "POST", fmt.Sprintf("/v2/payments/generate-creator-invoice/%d", w.ID["payment bo"]), "")
			is.Equal(answer.Code, 200)
			is.NoErr(json.Unmarshal(answer.Body.Bytes(), &got))
			return got.Number, got.Status
		}
		number, status := invoice("client_2")
		is.Equal(status, "invoiced")
		again, _ := invoice("admin")
		is.Equal(again, number)

		files := func(who string) []string {
			answer := w.Send(who, "GET", "/v2/payments/getPaymentInvoices", `{"payment_period":"2026-02"}`)
			is.Equal(answer.Code, 200)
			is.Equal(answer.Header().Get("Content-Type"), "application/zip")
			archive, err := zip.NewReader(bytes.NewReader(answer.Body.Bytes()), int64(answer.Body.Len()))
			is.NoErr(err)
			var names []string
			for _, f := range archive.File {
				content, err := f.Open()
				is.NoErr(err)
				text, err := io.ReadAll(content)
				is.NoErr(err)
				names = append(names, f.Name+": "+string(text))
			}
			return names
		}
		bos := number + ".txt: " + number + " 50.00 SEK\n"
		is.Equal(files("client_2"), []string{bos})
		is.Equal(len(files("admin")), 2)

		file := "invoice_number;paid_at\n" + number + ";2026-03-02\n" + w.Token["invoice anna"] + ";2026-03-02\nU0-00001;tomorrow\n"
		answer := w.Send("client_2", "POST", "/v2/payments/mark-invoices-as-paid", `{"file":"`+base64.StdEncoding.EncodeToString([]byte(file))+`"}`)
		is.Equal(answer.Body.String(), `{"paid":1,"skipped":[{"row":3,"reason":"unknown_invoice"},{"row":4,"reason":"invalid_paid_at"}]}`)
		_, status = invoice("admin")
		is.Equal(status, "paid")
	})
}
