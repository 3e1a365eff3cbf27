package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Op is what a route does: a typed handler and how it is answered. Its methods
// return a changed copy, so that they chain in a route table.
type Op struct {
	in, out reflect.Type
	run     func(ctx context.Context, p affiliate.Principal, pl *plan, req *request) (any, error)
	raw     func(http.ResponseWriter, *http.Request, affiliate.Principal) error

	status    int
	also      []int
	media     []string
	headers   [][2]string
	auth      Authenticator
	maxFile   int64
	unlimited bool
}

// Call makes an operation of a function. In is a struct whose tags say where
// its fields come from (see the package comment); Out is marshalled as JSON
// with status 200, unless it is [None], [Reply], [Stream] or an [Either] of
// them.
func Call[In, Out any](fn func(context.Context, affiliate.Principal, In) (Out, error)) Op {
	return Op{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		run: func(ctx context.Context, p affiliate.Principal, pl *plan, req *request) (any, error) {
			var in In
			if err := pl.decode(reflect.ValueOf(&in).Elem(), req); err != nil {
				return nil, err
			}
			return fn(ctx, p, in)
		},
	}
}

// Raw makes an operation that reads the request and writes the answer itself:
// a proxy. Its error is answered in the dialect's form if nothing was written
// yet. Idempotency keys are not looked at.
func Raw(fn func(http.ResponseWriter, *http.Request, affiliate.Principal) error) Op {
	return Op{raw: fn}
}

// Status is the status of success.
func (o Op) Status(code int) Op { o.status = code; return o }

// Header is sent with every answer of the route, errors too.
func (o Op) Header(name, value string) Op {
	o.headers = append(slices.Clip(o.headers), [2]string{http.CanonicalHeaderKey(name), value})
	return o
}

// Deprecated says in a header that the document calls the route deprecated.
func (o Op) Deprecated() Op { return o.Header("Deprecation", "true") }

// Auth has the route's own authenticator instead of the adapter's.
func (o Op) Auth(a Authenticator) Op { o.auth = a; return o }

// Files allows multipart uploads with files of at most this many bytes each,
// and that much and 1 MiB together.
func (o Op) Files(maxBytes int64) Op { o.maxFile = maxBytes; return o }

// Unlimited takes the route out of the rate limit: a pixel, a redirect.
func (o Op) Unlimited() Op { o.unlimited = true; return o }

// Also tells the other statuses of success, which a [Reply] may have. Only the
// description of the route needs them.
func (o Op) Also(codes ...int) Op { o.also = codes; return o }

// Sends tells the media types of answers that are no JSON: those of a [Stream]
// and of a [Raw] operation. Only the description of the route needs it.
func (o Op) Sends(media ...string) Op { o.media = media; return o }

// In is the input's type, nil for a [Raw] operation.
func (o Op) In() reflect.Type { return o.in }

// Out is the output's type, nil for a [Raw] operation.
func (o Op) Out() reflect.Type { return o.out }

// None is an answer without a body: 204 where the route has no other status.
type None struct{}

// Reply is an answer with a status or headers of its own.
type Reply[T any] struct {
	Status int // 0: the route's
	Header http.Header
	Body   T
}

// replies is every Reply.
type replies interface {
	reply() (int, http.Header, any)
}

func (r Reply[T]) reply() (int, http.Header, any) { return r.Status, r.Header, r.Body }

// Stream is an answer that is not JSON. Write is not called for HEAD. When it
// fails, the connection is cut, so that the client sees a broken answer and
// not a short one.
type Stream struct {
	Status      int // 0: the route's
	Header      http.Header
	ContentType string
	Write       func(io.Writer) error
	Close       func() error // called at the end, whether or not Write was; may be nil
}

// answer is what will be sent.
type answer struct {
	status      int
	contentType string // "" without a body
	header      http.Header
	body        []byte
	stream      func(io.Writer) error
	close       func() error // of the stream; may be nil
}

func (a *answer) setHeader(name, value string) {
	if a.header == nil {
		a.header = make(http.Header)
	}
	a.header.Set(name, value)
}

// encode turns what a handler returned into an answer.
func (m *Mux) encode(status int, out any) (answer, error) {
	switch v := out.(type) {
	case alternatives:
		return m.encode(status, v.held())
	case replies:
		own, header, body := v.reply()
		if own == 0 {
			own = status
		}
		a, err := m.encode(own, body)
		a.header = header.Clone()
		return a, err
	case None:
		if status == 0 {
			status = http.StatusNoContent
		}
		return answer{status: status}, nil
	case Stream:
		if v.Status != 0 {
			status = v.Status
		}
		return answer{status: orOK(status), contentType: v.ContentType, header: v.Header.Clone(), stream: v.Write, close: v.Close}, nil
	}
	body, err := encodeJSON(out)
	return answer{status: orOK(status), contentType: m.dialect.ContentType, body: body}, err
}

func orOK(status int) int {
	if status == 0 {
		return http.StatusOK
	}
	return status
}

// encodeJSON marshals without HTML escapes: URLs keep their &.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
