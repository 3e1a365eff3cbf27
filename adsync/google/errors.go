package google

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/internal/rest"
)

// googleError is a google.rpc.Status.
type googleError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []struct {
		Errors     []adsError `json:"errors"` // of a GoogleAdsFailure
		Request    string     `json:"requestId"`
		RetryDelay string     `json:"retryDelay"` // of a RetryInfo
	} `json:"details"`
}

// adsError is one error of a GoogleAdsFailure.
type adsError struct {
	Code     map[string]string `json:"errorCode"` // {"rangeError": "TOO_LOW"}
	Message  string            `json:"message"`
	Location struct {
		Path []pathElement `json:"fieldPathElements"`
	} `json:"location"`
	Details struct {
		Quota struct {
			RetryDelay string `json:"retryDelay"`
		} `json:"quotaErrorDetails"`
	} `json:"details"`
}

type pathElement struct {
	Name  string `json:"fieldName"`
	Index *int   `json:"index"`
}

// failure reads the error of an answer; nil if there is none.
func failure(c *rest.Client, key string, a rest.Answer) *adsync.Failure {
	if a.Status/100 == 2 {
		return nil
	}
	var body struct {
		Error *googleError `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &body); err != nil || body.Error == nil {
		return c.Status(key, a)
	}
	for _, d := range body.Error.Details {
		if len(d.Errors) > 0 {
			f := d.Errors[0].failure(c, key)
			f.RequestID = d.Request
			return f
		}
	}
	f := c.Status(key, a)
	f.Detail = firstOf(body.Error.Message, f.Detail)
	if body.Error.Status == "RESOURCE_EXHAUSTED" || f.Throttled {
		for _, d := range body.Error.Details {
			if wait := delay(d.RetryDelay); wait > 0 {
				return limited(c, key, wait, f.Detail)
			}
		}
	}
	return f
}

// failure is the error in the terms of package adsync.
func (e adsError) failure(c *rest.Client, key string) *adsync.Failure {
	f := &adsync.Failure{Code: adsync.CodeInvalid, Field: e.field(), Detail: e.Message, Unapplied: true}
	for kind, code := range e.Code {
		switch {
		case kind == "quotaError" && (code == "RESOURCE_EXHAUSTED" || code == "RESOURCE_TEMPORARILY_EXHAUSTED"):
			return limited(c, key, delay(e.Details.Quota.RetryDelay), e.Message)
		case kind == "internalError" && slices.Contains([]string{"TRANSIENT_ERROR", "INTERNAL_ERROR", "DEADLINE_EXCEEDED"}, code):
			f.Code, f.Retryable, f.Unapplied = adsync.CodeUnavailable, true, false
		case kind == "databaseError" && code == "CONCURRENT_MODIFICATION":
			f.Code, f.Retryable = adsync.CodeConflict, true
		case kind == "authenticationError":
			f.Code = adsync.CodeCredentials
		case kind == "authorizationError":
			f.Code = adsync.CodePermission
		case kind == "policyFindingError", kind == "policyViolationError", kind == "policyValidationParameterError":
			f.Code = adsync.CodePolicy
		case kind == "requestError" && code == "UNSUPPORTED_VERSION":
			f.Code = adsync.CodeVersionGone
		case strings.HasPrefix(code, "DUPLICATE_"), strings.HasSuffix(code, "ALREADY_EXISTS"):
			f.Code = adsync.CodeDuplicate
		case code == "RESOURCE_NOT_FOUND", strings.Contains(code, "REMOVED"):
			f.Code = adsync.CodeGone
		}
		f.Detail = firstOf(f.Detail, kind+" "+code)
	}
	return f
}

func limited(c *rest.Client, key string, wait time.Duration, detail string) *adsync.Failure {
	c.Throttle.Stop(key, wait)
	return &adsync.Failure{
		Code: adsync.CodeRateLimited, Detail: firstOf(detail, "The service asks to wait."), Retryable: true, Throttled: true,
		RetryAfter: max(wait, c.Throttle.Wait(key)), Unapplied: true,
	}
}

// index is the mutation that the error is about; -1 when it says none.
func (e adsError) index() int {
	for _, p := range e.Location.Path {
		if p.Index != nil && (p.Name == "mutate_operations" || p.Name == "mutateOperations" || p.Name == "operations") {
			return *p.Index
		}
	}
	return -1
}

// field is what the error blames, below the operation.
func (e adsError) field() string {
	var names []string
	for _, p := range e.Location.Path {
		switch {
		case strings.HasSuffix(p.Name, "operations"), strings.HasSuffix(p.Name, "Operations"),
			strings.HasSuffix(p.Name, "operation"), strings.HasSuffix(p.Name, "Operation"), p.Name == "create", p.Name == "update":
			continue
		case p.Index != nil:
			names = append(names, p.Name+"."+strconv.Itoa(*p.Index))
		default:
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ".")
}

// delay reads a duration as JSON has it: "30s", "3.5s"; 0 for anything else.
func delay(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || !strings.HasSuffix(text, "s") || d < 0 {
		return 0
	}
	return min(d, 7*24*time.Hour)
}
