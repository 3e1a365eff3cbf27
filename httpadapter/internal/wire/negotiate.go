package wire

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// negotiate refuses a request that takes none of the dialect's media types, in a
// dialect that negotiates them.
func (m *Mux) negotiate(r *http.Request) error {
	accepted := r.Header.Values("Accept")
	if !m.dialect.NegotiatesMedia || len(accepted) == 0 {
		return nil
	}
	for offered := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		media, params, err := mime.ParseMediaType(offered)
		if err != nil {
			continue
		}
		if q, given := params["q"]; given {
			if weight, err := strconv.ParseFloat(q, 64); err != nil || weight <= 0 {
				continue
			}
		}
		for _, own := range m.dialect.Accepts {
			if media == own || media == "*/*" || media == own[:strings.IndexByte(own, '/')]+"/*" {
				return nil
			}
		}
	}
	return &StatusError{
		Status: http.StatusNotAcceptable, Code: "not_acceptable",
		Message: "The answer is " + strings.Join(m.dialect.Accepts, " or ") + ", which the Accept header excludes.",
	}
}
