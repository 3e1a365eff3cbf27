package affiliate

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Validation collects every failing field of one input, so that a client is
// told all of them at once. The zero value is ready.
type Validation struct{ fields []FieldError }

// Add notes a failing field.
func (v *Validation) Add(field, code, message string) {
	v.fields = append(v.fields, FieldError{Field: field, Code: code, Message: message})
}

// Text checks a string: valid UTF-8, no NUL, and between min and max
// characters (code points) long.
func (v *Validation) Text(field, s string, min, max int) {
	n := len(s)
	if n > max || n < 4*min { // otherwise the byte count alone already decides
		n = utf8.RuneCountInString(s)
	}
	switch {
	case !utf8.ValidString(s):
		v.Add(field, "invalid_utf8", "must be valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		v.Add(field, "nul", "must not contain NUL")
	case n < min && min == 1:
		v.Add(field, "required", "is required")
	case n < min:
		v.Add(field, "too_short", fmt.Sprintf("must be at least %d characters", min))
	case n > max:
		v.Add(field, "too_long", fmt.Sprintf("must be at most %d characters", max))
	}
}

// Check adds the field when ok is false.
func (v *Validation) Check(ok bool, field, code, message string) {
	if !ok {
		v.Add(field, code, message)
	}
}

// Merge adds the fields of another validation error under a prefix
// ("billing" + "city" is "billing.city"). Errors of other kinds are ignored by
// it and must be handled by the caller; it reports whether err was one of ours.
func (v *Validation) Merge(prefix string, err error) bool {
	if err == nil {
		return true
	}
	e, ok := err.(*Error)
	if !ok || len(e.Fields) == 0 {
		return false
	}
	for _, f := range e.Fields {
		if prefix != "" {
			f.Field = prefix + "." + f.Field
		}
		v.fields = append(v.fields, f)
	}
	return true
}

// Err is nil when nothing was noted, else the *Error with all fields.
func (v *Validation) Err(resource string) error {
	if len(v.fields) == 0 {
		return nil
	}
	return Invalid(resource, v.fields...)
}
