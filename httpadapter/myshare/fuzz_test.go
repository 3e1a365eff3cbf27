package myshare_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// FuzzDecimal sends a number, as such or as a text, for the cost of a deal and
// the reward of an offer: it is refused by name, or kept to the last digit.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"100", "100.00", "0.01", "1e2", "1e-2", "-0", "1e999999999", "0.1e-40", "92233720368547758.07", "92233720368547758.08", ".5", "5.", "+1", "NaN", "0x10", "1_0", "95", "0.05"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	base := memoryWorld(f)
	s := base.shop("super")
	n := 0
	f.Fuzz(func(t *testing.T, text string, quoted bool) {
		value := text
		if quoted {
			value = jsonOf(text)
		} else if !json.Valid([]byte(text)) {
			return
		}
		w := *base
		w.t = t
		n++
		id := "fuzz-" + strconv.Itoa(n)
		body := strings.Replace(posting(id, "Created"), `"cost":100`, `"cost":`+value, 1)
		answer := w.send("partner", "POST", "/deal/", body)
		switch errs := object(t, answer.Body.String()); answer.Code {
		case 200:
			sent, err := decimal.NewFromString(strings.Trim(strings.TrimSpace(value), `"`))
			got, errGot := decimal.NewFromString(w.ask(200, "PATCH", "/deal/"+id, `{}`)["cost"].(string))
			if err != nil || errGot != nil || !got.Equal(sent) {
				t.Fatalf("cost %s is kept as %s (%v, %v)", value, got, err, errGot)
			}
		case 400:
			if errs["cost"] == nil && errs["code"] != "malformed_request" {
				t.Fatalf("cost %s: %s", value, answer.Body)
			}
		default:
			t.Fatalf("cost %s: %d %s", value, answer.Code, answer.Body)
		}
		for _, field := range []string{"reward_percent", "fix_remuneration"} {
			answer = w.send("partner", "PATCH", "/offer/"+s.offer, `{"`+field+`":`+value+`}`)
			errs := object(t, answer.Body.String())
			if answer.Code != 200 && (answer.Code != 400 || errs["reward_percent"] == nil && errs["fix_remuneration"] == nil && errs["code"] != "malformed_request") {
				t.Fatalf("%s %s: %d %s", field, value, answer.Code, answer.Body)
			}
		}
	})
}
