package wire

import (
	"bytes"
	"errors"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// bodyLimit bounds every body that is not a file upload, in bytes.
const bodyLimit = 1 << 20

// request is one request on its way into a handler.
type request struct {
	http      *http.Request
	base      BasePath
	id        string
	lenient   bool
	query     Value
	body      Value
	raw       string // the body's bytes, unless it was multipart
	multipart bool
	form      *multipart.Form // holds temporary files
}

func (req *request) url() URL { return requestURL(req.http, req.base) }

func (req *request) path(name string) string { return req.http.PathValue(paramName(name)) }

// close removes the temporary files.
func (req *request) close() error {
	if req.form == nil {
		return nil
	}
	return req.form.RemoveAll()
}

// load reads what the route's input takes from the request.
func (m *Mux) load(x *exchange, r *http.Request, op *Op, p *plan) (*request, error) {
	req := &request{http: r, base: m.opts.BasePath, id: x.id, lenient: m.dialect.Lenient}
	if p.hasQuery && r.URL.RawQuery != "" {
		query, err := parseForm(r.URL.RawQuery)
		if err != nil {
			return req, malformed("query", err)
		}
		req.query = query
	}
	_, keyed := idempotencyKey(r)
	if !p.hasBody && !keyed || r.Body == nil || r.ContentLength == 0 {
		return req, nil
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && media == "multipart/form-data" && m.dialect.Forms && p.hasBody {
		return req, req.loadMultipart(x, params["boundary"], op.maxFile)
	}
	if err := req.loadRaw(x); err != nil || !p.hasBody || req.raw == "" {
		return req, err
	}
	if err := m.acceptable(r, media, params); err != nil {
		return req, err
	}
	if media == "application/x-www-form-urlencoded" {
		req.body, err = parseForm(req.raw)
		if err != nil {
			return req, malformed("form", err)
		}
		return req, nil
	}
	req.body, err = parseJSON(req.raw)
	if err == nil && req.body.kind != Object {
		err = errors.New("not a JSON object")
	}
	if err != nil {
		return req, malformed("body", err)
	}
	return req, nil
}

// acceptable refuses a body that we would misread. A body without a
// Content-Type is taken as JSON.
func (m *Mux) acceptable(r *http.Request, media string, params map[string]string) error {
	charset := strings.ToLower(params["charset"])
	plain := r.Header.Get("Content-Encoding") == "" && (charset == "" || charset == "utf-8" || charset == "us-ascii")
	switch {
	case !plain:
	case r.Header.Get("Content-Type") == "":
		return nil
	case slices.Contains(m.dialect.Accepts, media):
		return nil
	case m.dialect.Forms && media == "application/x-www-form-urlencoded":
		return nil
	}
	e := &StatusError{
		Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
		Message: "The body must be " + strings.Join(m.dialect.Accepts, " or ") + ".",
	}
	if m.dialect.NegotiatesMedia {
		e.Status, e.Code = http.StatusNotAcceptable, "not_acceptable"
	}
	return e
}

func (req *request) loadRaw(x *exchange) error {
	if req.http.ContentLength > bodyLimit {
		return tooLarge()
	}
	var b bytes.Buffer
	b.Grow(int(max(0, req.http.ContentLength)) + bytes.MinRead) // so that ReadFrom does not grow it again
	if _, err := b.ReadFrom(http.MaxBytesReader(x.ResponseWriter, req.http.Body, bodyLimit)); err != nil {
		return readError(err)
	}
	req.raw = b.String()
	return nil
}

// loadMultipart keeps up to 1 MiB of files in memory and the rest in temporary
// files.
func (req *request) loadMultipart(x *exchange, boundary string, maxFile int64) error {
	limit := maxFile + bodyLimit
	if req.http.ContentLength > limit {
		return tooLarge()
	}
	if boundary == "" {
		return malformed("form", errors.New("multipart without a boundary"))
	}
	body := http.MaxBytesReader(x.ResponseWriter, req.http.Body, limit)
	form, err := multipart.NewReader(body, boundary).ReadForm(bodyLimit)
	if err != nil {
		return readError(err)
	}
	req.form, req.multipart = form, true
	if maxFile > 0 {
		for _, files := range form.File {
			for _, file := range files {
				if file.Size > maxFile {
					return tooLarge()
				}
			}
		}
	}
	req.body, err = parseMultipart(form)
	if err != nil {
		return malformed("form", err)
	}
	return nil
}

func readError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || errors.Is(err, multipart.ErrMessageTooLarge) {
		return tooLarge()
	}
	return &StatusError{
		Status: http.StatusBadRequest, Code: "malformed_request",
		Message: "The body could not be read.", Err: err,
	}
}

func tooLarge() error {
	return &StatusError{Status: http.StatusRequestEntityTooLarge, Code: "payload_too_large", Message: "The body is too large."}
}
