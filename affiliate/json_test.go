package affiliate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// priced has every kind of field that a host keeps as JSON.
type priced struct {
	ID      int64                              `json:"id"`
	Public  uuid.UUID                          `json:"public"`
	Price   affiliate.Money                    `json:"price"`
	Share   affiliate.Rate                     `json:"share"`
	Limit   affiliate.Optional[int64]          `json:"limit"`
	Bonus   affiliate.Optional[affiliate.Rate] `json:"bonus,omitzero"`
	Reduced affiliate.Optional[affiliate.Money]
	Costs   affiliate.Costs
	Account affiliate.Account
}

func TestValuesOfTheCoreComeBackFromJSON(t *testing.T) {
	third, _ := affiliate.ParseRate("rate", "0.333333333")
	for _, v := range []priced{
		{},
		{
			ID: math.MaxInt64, Public: uuid.MustParse("0190a7c0-0000-7000-8000-000000000001"), Price: eur(math.MinInt64), Share: third,
			Limit: affiliate.Some(int64(1<<53 + 1)), Bonus: affiliate.Some(affiliate.Rate{}), Reduced: affiliate.Some(affiliate.NewMoney(0, "JPY")),
			Costs:   affiliate.Costs{CPC: affiliate.Some(int64(0)), CPA: affiliate.Some(third)},
			Account: affiliate.UserAccount(7),
		},
	} {
		is := is.New(t)
		text, err := json.Marshal(v)
		is.NoErr(err)
		var got priced
		is.NoErr(json.Unmarshal(text, &got))
		is.Equal(got, v)
	}
}

func TestJSONFormsOfTheCore(t *testing.T) {
	rate, _ := affiliate.ParseRate("rate", "0.250")
	for _, tc := range []struct {
		value any
		want  string
	}{
		{affiliate.NewMoney(1234, "SEK"), `{"amount":"12.34","currency":"SEK"}`},
		{affiliate.NewMoney(-1230, "SEK"), `{"amount":"-12.30","currency":"SEK"}`},
		{affiliate.NewMoney(0, "SEK"), `{"amount":"0.00","currency":"SEK"}`},
		{affiliate.NewMoney(120, "JPY"), `{"amount":"120","currency":"JPY"}`},
		{affiliate.Money{}, `null`},
		{rate, `"0.25"`},
		{map[affiliate.Rate]int{rate: 1}, `{"0.25":1}`},
		{affiliate.Optional[affiliate.Rate]{}, `null`},
		{affiliate.Some(rate), `"0.25"`},
		{affiliate.Some(int64(0)), `0`},
		{affiliate.Some(affiliate.NewMoney(5, "EUR")), `{"amount":"0.05","currency":"EUR"}`},
		{priced{}.Costs, `{"Source":0,"CPC":null,"CPA":null,"InvoiceCPC":null,"InvoiceCPA":null}`},
	} {
		got, err := json.Marshal(tc.value)
		if err != nil || string(got) != tc.want {
			t.Errorf("%v: got %s, %v, want %s", tc.value, got, err, tc.want)
		}
	}
	for _, lost := range []any{
		affiliate.NewMoney(5, ""), affiliate.NewMoney(5, "XXX"), affiliate.NewMoney(5, `"`),
		affiliate.Some(affiliate.Money{}), affiliate.Some[*int](nil), affiliate.Some(affiliate.Optional[int]{}),
	} {
		if got, err := json.Marshal(lost); err == nil {
			t.Errorf("%#v: got %s, want an error: it would not come back", lost, got)
		}
	}
}

func TestMoneyInJSONIsReadStrictly(t *testing.T) {
	for _, tc := range []struct{ text, field string }{
		{`12.34`, "amount"}, {`1234`, "amount"}, {`"12.34"`, "amount"}, {`true`, "amount"}, {`[]`, "amount"},
		{`{}`, "amount"}, {`{}`, "currency"}, {`{"amount":"1"}`, "currency"}, {`{"currency":"SEK"}`, "amount"},
		{`{"amount":12.34,"currency":"SEK"}`, "amount"}, {`{"amount":1,"currency":"SEK"}`, "amount"},
		{`{"amount":null,"currency":"SEK"}`, "amount"}, {`{"amount":"1","currency":null}`, "currency"},
		{`{"amount":"1","currency":1}`, "currency"}, {`{"amount":"1","currency":"sek"}`, "currency"}, {`{"amount":"1","currency":"XXX"}`, "currency"},
		{`{"amount":"12.345","currency":"SEK"}`, "amount"}, {`{"amount":"1.0","currency":"JPY"}`, "amount"},
		{`{"amount":"1e2","currency":"SEK"}`, "amount"}, {`{"amount":"01","currency":"SEK"}`, "amount"}, {`{"amount":" 1","currency":"SEK"}`, "amount"},
		{`{"amount":"92233720368547758.08","currency":"SEK"}`, "amount"}, {`{"amount":"-92233720368547758.09","currency":"SEK"}`, "amount"},
		{`{"amount":"1","amount":"1","currency":"SEK"}`, "amount"}, {`{"amount":"1","currency":"SEK","currency":"SEK"}`, "currency"},
		{`{"amount":"1","currency":"SEK","minor":100}`, ""}, {`{"Amount":"1","currency":"SEK"}`, ""},
	} {
		m := eur(7)
		err := json.Unmarshal([]byte(tc.text), &m)
		var e *affiliate.Error
		found := false
		if errors.As(err, &e) && errors.Is(err, affiliate.ErrInvalid) {
			for _, f := range e.Fields {
				found = found || f.Field == tc.field
			}
		}
		if !found || m != eur(7) {
			t.Errorf("%s: got %v and %v, want ErrInvalid on %q and the old value", tc.text, m, err, tc.field)
		}
	}
	is := is.New(t)
	m := eur(7)
	is.NoErr(json.Unmarshal([]byte(`null`), &m))
	is.Equal(m, affiliate.Money{})
}

func TestRatesAndOptionalsInJSONAreReadStrictly(t *testing.T) {
	for _, tc := range []struct {
		text string
		into any
	}{
		{`0.25`, &affiliate.Rate{}}, {`"1.1"`, &affiliate.Rate{}}, {`"-0.1"`, &affiliate.Rate{}}, {`"0.1234567891"`, &affiliate.Rate{}},
		{`"25%"`, &affiliate.Rate{}}, {`""`, &affiliate.Rate{}}, {`{}`, &affiliate.Rate{}},
		{`1.5`, &affiliate.Optional[int64]{}}, {`9223372036854775808`, &affiliate.Optional[int64]{}}, {`"1"`, &affiliate.Optional[int64]{}},
		{`0.25`, &affiliate.Optional[affiliate.Rate]{}}, {`12.3`, &affiliate.Optional[affiliate.Money]{}},
		{`{"CPC":1,"CPX":2}`, &affiliate.Optional[affiliate.Costs]{}},
	} {
		if err := json.Unmarshal([]byte(tc.text), tc.into); err == nil {
			t.Errorf("%s into %T: got %+v, want an error", tc.text, tc.into, tc.into)
		}
	}
	is := is.New(t)
	o := affiliate.Some(int64(7))
	is.True(json.Unmarshal([]byte(`1.5`), &o) != nil)
	is.Equal(o, affiliate.Some(int64(7))) // a failed read leaves it alone
	is.NoErr(json.Unmarshal([]byte(`null`), &o))
	is.Equal(o, affiliate.Optional[int64]{})
}

// What is read is written, and read again as the same.
func FuzzMoneyJSON(f *testing.F) {
	for _, s := range []string{
		`null`, ` null `, `{"amount":"12.34","currency":"SEK"}`, `{ "currency" : "JPY" , "amount" : "-1" }`, `{"amount":"\u0031","currency":"KWD"}`,
		`{"amount":"1","amount":"2","currency":"SEK"}`, `{"amount":1.5,"currency":"SEK"}`, `12.34`, `{}`, `[]`, `{"amount":"-0","currency":"EUR"}`,
		`{"amount":"92233720368547758.08","currency":"SEK"}`, `{"amount":"1","currency":"SEK","x":{}}`, `{"amount":"1","currency":"SEK"}1`, ``, `{"amount":"1`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m affiliate.Money
		if err := json.Unmarshal(raw, &m); err != nil {
			if m != (affiliate.Money{}) {
				t.Fatalf("%q: got %v beside the error %v", raw, m, err)
			}
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%q: %v cannot be written: %v", raw, m, err)
		}
		var again affiliate.Money
		if err := json.Unmarshal(text, &again); err != nil || again != m {
			t.Fatalf("%q: %v was written as %s and read as %v, %v", raw, m, text, again, err)
		}
	})
}

func ExampleMoney_MarshalJSON() {
	price := affiliate.NewMoney(1230, "SEK")
	text, err := json.Marshal(price)
	fmt.Println(string(text), err)

	var read affiliate.Money
	fmt.Println(json.Unmarshal(text, &read), read == price)
	fmt.Println(json.Unmarshal([]byte(`{"amount":12.3,"currency":"SEK"}`), &read))
	// Output:
	// {"amount":"12.30","currency":"SEK"} <nil>
	// <nil> true
	// money: invalid (validation_failed): amount must be a decimal number in a string
}
