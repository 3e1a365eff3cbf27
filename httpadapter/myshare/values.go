package myshare

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// duration is written "30 00:00:00": days, then hours, minutes and seconds.
type duration time.Duration

// maxDurationText bounds a duration, in bytes.
const maxDurationText = 32

var errDuration = errors.New("must be a duration such as 30 00:00:00")

// parseDuration reads "[days ]HH:MM:SS". Hours may be more than 23, as
// "720:00:00" has them; minutes and seconds are below 60.
func parseDuration(s string) (time.Duration, error) {
	if len(s) > maxDurationText {
		return 0, errDuration
	}
	days, clock, hasDays := strings.Cut(s, " ")
	if !hasDays {
		days, clock = "0", s
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 || len(parts[1]) != 2 || len(parts[2]) != 2 {
		return 0, errDuration
	}
	var n [4]int64
	for i, text := range append([]string{days}, parts...) {
		if len(text) > 6 || !digits(text) {
			return 0, errDuration
		}
		n[i], _ = strconv.ParseInt(text, 10, 64) // at most six digits
	}
	if n[2] > 59 || n[3] > 59 {
		return 0, errDuration
	}
	total := time.Duration(n[0])*24*time.Hour + time.Duration(n[1])*time.Hour
	if n[0] > 100_000 || total < 0 {
		return 0, errDuration
	}
	return total + time.Duration(n[2])*time.Minute + time.Duration(n[3])*time.Second, nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// UnmarshalWire reads the duration.
func (d *duration) UnmarshalWire(v wire.Value) error {
	if v.Kind() != wire.Text {
		return errDuration
	}
	parsed, err := parseDuration(v.Text())
	*d = duration(parsed)
	return err
}

// String writes the duration, with days always.
func (d duration) String() string {
	s := int64(time.Duration(d) / time.Second)
	return fmt.Sprintf("%d %02d:%02d:%02d", s/86400, s/3600%24, s/60%60, s%60)
}

// MarshalJSON prints the duration.
func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// localTime prints as "2023-04-06T08:02:46.807490", in UTC.
type localTime time.Time

// MarshalJSON prints the time.
func (t localTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(t).UTC().Format("2006-01-02T15:04:05.000000"))
}

// second prints as "2019-08-24T14:15:22Z", the zero time as null.
type second time.Time

// MarshalJSON prints the time.
func (t second) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(time.Time(t).UTC().Format("2006-01-02T15:04:05Z"))
}

// float is a number as the document prints floats: with a point always.
func float(d decimal.Decimal) json.Number {
	s := d.String()
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return json.Number(s)
}

// floatOrNull is null for zero, which stands for none.
func floatOrNull(d decimal.Decimal) *json.Number {
	if d.IsZero() {
		return nil
	}
	n := float(d)
	return &n
}

// textOrNull is a decimal as a text, null for zero, which stands for none.
func textOrNull(d decimal.Decimal) *string {
	if d.IsZero() {
		return nil
	}
	s := d.String()
	return &s
}

// number is a number in the fewest digits.
func number(m affiliate.Money) json.Number { return json.Number(m.Decimal().String()) }

// input gathers what is wrong with an input beyond what its tags say.
type input struct{ affiliate.Validation }

// needs notes the fields that are not there and must be.
func (in *input) needs(missing bool, field string) {
	in.Check(!missing, field, "required", "is required")
}

// also adds what else is wrong with a value that was made of the input, so that
// a client is told all of it at once. What a field is at fault for already stays.
func (in *input) also(err error) {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok {
		return
	}
	noted := map[string]bool{}
	if have, ok := errors.AsType[*affiliate.Error](in.Err("")); ok {
		for _, f := range have.Fields {
			noted[topLevel(f.Field)] = true
		}
	}
	for _, f := range e.Fields {
		if !noted[topLevel(f.Field)] {
			in.Add(f.Field, f.Code, f.Message)
		}
	}
}

// topLevel is the field of the input that a dotted path begins with.
func topLevel(path string) string {
	name, _, _ := strings.Cut(path, ".")
	return name
}

// given reports whether an optional field was sent with a value.
func given[T any](o wire.Optional[T]) bool { return o.Set && !o.Null }

// set writes an optional field where it was sent; null is the zero value.
func set[T any](dst *T, o wire.Optional[T]) {
	if o.Set {
		*dst = o.Value
	}
}

// setGiven writes an optional field where it was sent with a value.
func setGiven[T any](dst *T, o wire.Optional[T]) {
	if given(o) {
		*dst = o.Value
	}
}

// percentDigits are what a percentage may have after the point.
const percentDigits = affiliate.RateDecimals - 2

// percent is a number of hundredths as a rate; null is none.
func (in *input) percent(field string, o wire.Optional[decimal.Decimal]) affiliate.Rate {
	r, err := affiliate.RateFromDecimal(field, o.Value.Shift(-2))
	if err == nil {
		return r
	}
	if e, ok := errors.AsType[*affiliate.Error](err); ok && len(e.Fields) == 1 && e.Fields[0].Code == "too_precise" {
		in.Add(field, "too_precise", fmt.Sprintf("must have at most %d digits after the point", percentDigits))
	} else {
		in.Add(field, "out_of_range", "must be between 0 and 100")
	}
	return affiliate.Rate{}
}

// currency is one of the currencies that the dialect takes.
func (s *server) currency(in *input, field, code string) affiliate.Currency {
	c := affiliate.Currency(code)
	if slices.Contains(s.currencies, c) {
		return c
	}
	names := make([]string, len(s.currencies))
	for i, known := range s.currencies {
		names[i] = string(known)
	}
	in.Add(field, "not_in_list", "must be one of "+strings.Join(names, ", "))
	return ""
}

// money is a number of major units. A currency that is not known has been noted.
func (in *input) money(field string, d decimal.Decimal, c affiliate.Currency) affiliate.Money {
	if c == "" {
		return affiliate.Money{}
	}
	m, err := affiliate.ParseMoney(d.String(), c)
	if e, ok := errors.AsType[*affiliate.Error](err); ok {
		for _, f := range e.Fields {
			in.Add(field, f.Code, f.Message)
		}
	}
	return m
}

// pathID is the id in a path. What is no id names nothing; of the spellings
// that a UUID has, only the one in answers is one.
func pathID(resource, s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err != nil || len(s) != len(id.String()) {
		return uuid.Nil, affiliate.NotFound(resource, s)
	}
	return id, nil
}

// orNull is null for the empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// orEmpty is a list that is never null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
