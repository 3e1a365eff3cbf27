package adsynctest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// ServiceFault is what goes wrong with a call to a fake service.
type ServiceFault string

// The faults. Those that are not for a call do nothing to it.
const (
	NoFault        ServiceFault = ""
	DropBefore     ServiceFault = "drop_before"     // the connection ends before the call is applied
	DropAfter      ServiceFault = "drop_after"      // the call is applied, and its answer is lost
	ErrorBefore    ServiceFault = "error_before"    // 500, not applied
	ErrorAfter     ServiceFault = "error_after"     // 500, applied
	RateLimited    ServiceFault = "rate_limited"    // the allowance is used up
	PartialFailure ServiceFault = "partial_failure" // the first operation of a call fails, and a retry cures it
	DuplicateName  ServiceFault = "duplicate_name"
	PolicyRejected ServiceFault = "policy_rejected"
	InvalidItem    ServiceFault = "invalid_item" // the first item of an asynchronous call is refused
	VersionGone    ServiceFault = "version_gone"
)

// CurableFaults are the faults after which a retry succeeds.
func CurableFaults() []ServiceFault {
	return []ServiceFault{DropBefore, DropAfter, ErrorBefore, ErrorAfter, RateLimited, PartialFailure}
}

// FaultFunc chooses the fault of a call.
type FaultFunc func(r *http.Request) ServiceFault

// Chaos returns a FaultFunc that chooses one of the faults with a probability,
// always the same for one seed and one order of calls. It is safe for concurrent
// use.
func Chaos(seed uint64, probability float64, faults ...ServiceFault) FaultFunc {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, seed))
	return func(*http.Request) ServiceFault {
		mu.Lock()
		defer mu.Unlock()
		if len(faults) == 0 || random.Float64() >= probability {
			return NoFault
		}
		return faults[random.IntN(len(faults))]
	}
}

// Once returns a FaultFunc that has the first call of a method, to a path that
// ends with a text, fail.
func Once(fault ServiceFault, method, suffix string) FaultFunc {
	var mu sync.Mutex
	done := false
	return func(r *http.Request) ServiceFault {
		mu.Lock()
		defer mu.Unlock()
		if done || r.Method != method || !strings.HasSuffix(r.URL.Path, suffix) {
			return NoFault
		}
		done = true
		return fault
	}
}

// Client returns an HTTP client whose calls go to a handler, whatever their host,
// without a network. A handler that panics with http.ErrAbortHandler breaks the
// connection.
func Client(h http.Handler) *http.Client { return &http.Client{Transport: transport{h}} }

type transport struct{ handler http.Handler }

var errBroken = errors.New("adsynctest: the connection was broken")

func (t transport) RoundTrip(r *http.Request) (res *http.Response, err error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	own := r.Clone(r.Context())
	if own.Body == nil {
		own.Body = http.NoBody
	}
	own.RequestURI = own.URL.RequestURI()
	w := &answer{header: http.Header{}, status: http.StatusOK}
	defer func() {
		switch broken := recover(); {
		case broken == nil:
		case broken == http.ErrAbortHandler:
			res, err = nil, errBroken
		default:
			panic(broken)
		}
	}()
	t.handler.ServeHTTP(w, own)
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// answer is a response in memory.
type answer struct {
	header  http.Header
	status  int
	started bool
	body    bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.started {
		a.started, a.status = true, status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.started = true
	return a.body.Write(p)
}
