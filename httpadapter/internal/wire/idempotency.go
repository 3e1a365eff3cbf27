package wire

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// How long answers and claims live.
const (
	idempotencyKeep  = 24 * time.Hour
	idempotencyLease = time.Minute
	// settleTime is for what is left to do after the request's own time.
	settleTime = 5 * time.Second
)

// IdempotencyStore keeps the first answer to each Idempotency-Key. A record
// belongs to one Owner and Key; the token tells the request that claimed it
// from a later one that took over an expired claim.
type IdempotencyStore interface {
	// Begin claims the record's owner and key and returns nil; or returns the
	// record that is there and changes nothing. A record whose Expires is not
	// after now counts as not there. Of many that begin at once, one claims.
	//
	// A store that keeps answers beside the work, and not with it, must not let a
	// claim without an answer expire before the answer would: whether the work was
	// done is not known then, and it must not be done twice.
	Begin(ctx context.Context, claim IdempotencyRecord, now time.Time) (*IdempotencyRecord, error)
	// Finish runs work and puts the answer that it returns, and the new expiry,
	// into the claimed record; with nil instead of an answer the record stays.
	// The store of the core does both in one transaction with what work changes,
	// and may therefore run work again. An error of work is returned, and then
	// nothing is changed. Finish is ErrClaimLost when the token no longer holds
	// the claim.
	Finish(ctx context.Context, claim IdempotencyRecord, work func(ctx context.Context) (*KeptAnswer, error)) error
	// Abandon removes the claim, so that the request may be sent again. It is
	// no error when the token no longer holds it, and leaves an answer alone.
	Abandon(ctx context.Context, claim IdempotencyRecord) error
}

// ErrClaimLost is what Finish returns when another request took the claim over.
var ErrClaimLost = errors.New("httpadapter: the idempotency key was taken over by another request")

// IdempotencyRecord is a claim, and once it is answered, the answer.
type IdempotencyRecord struct {
	Owner       string   // the principal's Key, or "address:" and a client address
	Key         string   // 1 to 255 printable ASCII characters
	Token       string   // a UUID
	Fingerprint [32]byte // SHA-256 of method, path, query and body
	Expires     time.Time
	Answer      *KeptAnswer // nil while the first request runs
}

// KeptAnswer is an answer that is given again.
type KeptAnswer struct {
	Status      int
	ContentType string
	Body        []byte // at most affiliate.MaxKeptAnswer bytes
}

// idempotent runs the request once for its key.
//
// Kept are answers from a handler: success, in the transaction of what the
// handler changed, and refusals that would come out the same. Not kept, so that
// the client may try again with the same key: 401, 408, 429, 5xx, panics,
// cancelled requests, and answers that are streamed. Of an answer that is too
// large to be kept it is kept that there was one. Requests refused before the
// handler's input was looked at (401, 403, another tenant's 404, malformed 400,
// 413, 415, 429) never get here.
//
// A crash before the commit leaves a claim and no work; it expires after a
// minute, and the request may then run again. A crash after the commit leaves
// the answer. The handler's context ends with the claim, so that two rarely run
// at once; if they do, only the one that holds the claim can commit.
func (m *Mux) idempotent(x *exchange, req *request, owner string, run func(*request) (answer, error)) (answer, error) {
	key, sent := idempotencyKey(req.http)
	if !sent || m.opts.Idempotency == nil {
		return run(req)
	}
	if key == "" {
		var v affiliate.Validation
		v.Add("Idempotency-Key", "invalid_idempotency_key", "must be 1 to 255 printable characters")
		return answer{}, v.Err("")
	}
	fingerprint, err := req.fingerprint()
	if err != nil {
		return answer{}, err
	}
	token, err := uuid.NewRandom()
	if err != nil {
		return answer{}, affiliate.Unavailable(err)
	}
	store, now := m.opts.Idempotency, m.opts.Clock.Now()
	claim := IdempotencyRecord{
		Owner: owner, Key: key, Token: token.String(), Fingerprint: fingerprint, Expires: now.Add(idempotencyLease),
	}
	found, err := store.Begin(req.http.Context(), claim, now)
	if err != nil {
		return answer{}, err
	}
	if found != nil {
		return found.again(claim)
	}
	return m.runClaimed(x, req, claim, run)
}

// again answers a request whose key is known.
func (r *IdempotencyRecord) again(claim IdempotencyRecord) (answer, error) {
	switch {
	case r.Fingerprint != claim.Fingerprint:
		return answer{}, affiliate.Conflict("", "idempotency_key_reused", "The idempotency key was used for another request.")
	case r.Answer == nil:
		return answer{}, keyInUse()
	}
	a := answer{status: r.Answer.Status, contentType: r.Answer.ContentType, body: r.Answer.Body}
	a.setHeader("Idempotency-Replayed", "true")
	return a, nil
}

func keyInUse() error {
	return affiliate.Conflict("", "idempotency_key_in_use", "A request with this idempotency key is still running.")
}

// runClaimed runs the handler and settles the claim, whatever happens.
func (m *Mux) runClaimed(x *exchange, req *request, claim IdempotencyRecord, run func(*request) (answer, error)) (answer, error) {
	// The claim is settled even when the client has gone.
	settling := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.WithoutCancel(req.http.Context()), settleTime)
	}
	settled := false
	defer func() {
		if settled {
			return
		}
		settle, cancel := settling()
		defer cancel()
		if err := m.opts.Idempotency.Abandon(settle, claim); err != nil {
			m.log.Error("idempotency claim not abandoned", "request_id", x.id, "route", x.route, "error", err)
		}
	}()
	ctx, cancel := context.WithTimeout(req.http.Context(), idempotencyLease)
	defer cancel()
	claim.Expires = m.opts.Clock.Now().Add(idempotencyKeep)
	var a answer
	err := m.opts.Idempotency.Finish(ctx, claim, func(ctx context.Context) (*KeptAnswer, error) {
		held := *req
		held.http = req.http.WithContext(ctx)
		var err error
		if a, err = run(&held); err != nil {
			return nil, err
		}
		return m.kept(a), nil
	})
	switch {
	case err == nil:
		settled = a.keepable()
		return a, nil
	case errors.Is(err, ErrClaimLost): // what the handler did is undone
		settled = true
		return answer{}, keyInUse()
	}
	a = m.errorAnswer(ctx, x, err)
	if !a.keepable() || ctx.Err() != nil {
		return a, nil
	}
	settled = true
	settle, cancelSettle := settling()
	defer cancelSettle()
	err = m.opts.Idempotency.Finish(settle, claim, func(context.Context) (*KeptAnswer, error) { return m.kept(a), nil })
	if err != nil {
		// Nothing was changed: the same request is refused again.
		m.log.Error("idempotent answer not kept", "request_id", x.id, "route", x.route, "error", err)
	}
	return a, nil
}

// kept is what is kept of an answer; nil for one that is not kept.
func (m *Mux) kept(a answer) *KeptAnswer {
	switch {
	case !a.keepable():
		return nil
	case len(a.body) > affiliate.MaxKeptAnswer:
		a = m.encodeProblem(Problem{
			Status: http.StatusConflict, Code: "idempotency_answer_too_large",
			Message: "The request with this idempotency key was carried out. Its answer was too large to be kept.",
		})
	}
	return &KeptAnswer{Status: a.status, ContentType: a.contentType, Body: a.body}
}

func (a answer) keepable() bool {
	switch {
	case a.stream != nil:
		return false
	case a.status == http.StatusUnauthorized, a.status == http.StatusRequestTimeout, a.status == http.StatusTooManyRequests:
		return false
	}
	return a.status < 500
}

// idempotencyKey is the key of a POST; empty when one was sent that is no key.
func idempotencyKey(r *http.Request) (key string, sent bool) {
	values := r.Header.Values("Idempotency-Key")
	if r.Method != http.MethodPost || len(values) == 0 {
		return "", false
	}
	if len(values) > 1 || !printable(values[0], 255, ' ') {
		return "", true
	}
	return values[0], true
}

// fingerprint tells one request from another. A multipart body is taken field
// by field, because each sending has a boundary of its own.
func (req *request) fingerprint() (sum [32]byte, err error) {
	h := sha256.New()
	u := requestURL(req.http, req.base)
	for _, part := range []string{req.http.Method, u.Path, u.Query} {
		hashText(h, part)
	}
	if req.multipart {
		err = hashValue(h, req.body)
	} else {
		hashText(h, req.raw)
	}
	h.Sum(sum[:0])
	return sum, err
}

// hashText writes the length first: "ab"+"c" is not "a"+"bc".
func hashText(h hash.Hash, s string) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s)))) // a hash never fails
	io.WriteString(h, s)
}

func hashValue(h hash.Hash, v Value) error {
	h.Write([]byte{byte(v.kind), byte(len(v.items) >> 16), byte(len(v.items) >> 8), byte(len(v.items))})
	hashText(h, v.text)
	for i, item := range v.items {
		hashText(h, v.keys[i])
		if err := hashValue(h, item); err != nil {
			return err
		}
	}
	if v.kind != Uploaded {
		return nil
	}
	hashText(h, v.file.Filename)
	file, err := v.file.Open()
	if err != nil {
		return affiliate.Unavailable(err)
	}
	defer file.Close()
	if _, err := io.Copy(h, file); err != nil {
		return affiliate.Unavailable(err)
	}
	return nil
}
