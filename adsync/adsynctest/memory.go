package adsynctest

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/affiliatekit/affiliatekit/adsync"
)

// Driver is an adsync.Driver whose service is in memory, for tests of what
// drives drivers. The zero Driver is not usable; see NewDriver. It is safe for
// concurrent use.
type Driver struct {
	service adsync.AdService

	mu      sync.Mutex
	last    int
	objects map[string]*Object // by the service's id
	fault   func(adsync.Operation) Fault
	calls   []adsync.Operation
	handles map[string]adsync.Operation
}

// Object is an object at a service in memory.
type Object struct {
	Kind      adsync.Kind
	ID        string
	ParentID  string
	Marker    string
	Fields    adsync.Fields
	ChangedBy string
	ChangedAt time.Time
}

// Fault is what goes wrong with an operation.
type Fault struct {
	Failure *adsync.Failure // nil: nothing
	// Applied says that the operation is applied before the failure.
	Applied bool
	// Works says that the service works on the operation: it is applied when it
	// is asked about.
	Works bool
}

// NewDriver returns a driver for a service in memory that has nothing.
func NewDriver(service adsync.AdService) *Driver {
	return &Driver{service: service, objects: map[string]*Object{}, handles: map[string]adsync.Operation{}}
}

// SetFault has fn say what goes wrong with each operation; nil: nothing.
func (d *Driver) SetFault(fn func(adsync.Operation) Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fn
}

// Calls returns the operations that the driver was given, in their order.
func (d *Driver) Calls() []adsync.Operation {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]adsync.Operation(nil), d.calls...)
}

// Objects returns a copy of what the service has.
func (d *Driver) Objects() []Object {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Object
	for _, o := range d.objects {
		c := *o
		c.Fields = maps.Clone(o.Fields)
		out = append(out, c)
	}
	return out
}

// Edit changes a field of an object as somebody else would.
func (d *Driver) Edit(id, field, value, who string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.objects[id]; o != nil {
		o.Fields[field], o.ChangedBy, o.ChangedAt = value, who, at
	}
}

// Drop removes an object as somebody else would.
func (d *Driver) Drop(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.objects, id)
}

// Service returns the service.
func (d *Driver) Service() adsync.AdService { return d.service }

// Object returns the record's fields. An active campaign needs a budget.
func (d *Driver) Object(t adsync.Target) (adsync.Fields, error) {
	f := adsync.Fields{"marker": t.Marker, "state": string(t.State())}
	switch t.Kind {
	case adsync.KindItem:
		f["title"], f["link"], f["catalog"] = t.Item.Title, t.Item.Link, t.AdAccount.CatalogID
		f["available"] = strconv.FormatBool(t.Item.Available)
	case adsync.KindCampaign:
		f["name"] = t.Campaign.Title
		if !t.Campaign.Configuration.DailyBudget.Set {
			return f, &adsync.Blocked{Reason: adsync.ReasonBudgetRequired, Field: "service_configurations.daily_budget", Detail: "An active campaign needs a daily budget."}
		}
		f["budget"] = strconv.FormatInt(t.Campaign.Configuration.DailyBudget.Value.Amount, 10)
	case adsync.KindAdSet:
		f["name"] = t.AdSet.Title
		if t.AdSet.Bids.CPC.Set {
			f["cpc"] = strconv.FormatInt(t.AdSet.Bids.CPC.Value, 10)
		}
	case adsync.KindAd:
		f["headline"], f["link"] = t.Ad.Creative.HeadlinePart1, t.Ad.DestinationURL
	}
	return f, nil
}

// Apply applies the operations, but for what SetFault says.
func (d *Driver) Apply(ctx context.Context, _ adsync.AdAccount, ops []adsync.Operation) []adsync.Result {
	out := make([]adsync.Result, len(ops))
	for n, op := range ops {
		if ctx.Err() != nil {
			out[n].Failure = &adsync.Failure{Code: adsync.CodeNotSent, Retryable: true, Unapplied: true}
			continue
		}
		out[n] = d.one(op)
	}
	return out
}

func (d *Driver) one(op adsync.Operation) adsync.Result {
	d.mu.Lock()
	d.calls = append(d.calls, op)
	fault := d.fault
	d.mu.Unlock()
	var f Fault
	if fault != nil && op.Handle == "" {
		f = fault(op) // it may call the driver
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if op.Handle != "" {
		sent, ok := d.handles[op.Handle]
		if !ok {
			return adsync.Result{Failure: &adsync.Failure{Code: adsync.CodeGone, Detail: "There is no such handle.", Retryable: true}}
		}
		delete(d.handles, op.Handle)
		return d.apply(sent)
	}
	if f.Works {
		d.last++
		handle := fmt.Sprintf("handle %d", d.last)
		d.handles[handle] = op
		return adsync.Result{Handle: handle, RetryAfter: time.Second}
	}
	if f.Failure != nil && !f.Applied {
		return adsync.Result{Failure: f.Failure}
	}
	r := d.apply(op)
	if f.Failure != nil {
		return adsync.Result{Failure: f.Failure}
	}
	return r
}

func (d *Driver) apply(op adsync.Operation) adsync.Result {
	o := d.objects[op.RemoteID]
	if o == nil && op.Repeated {
		o = d.byMarker(op.Marker)
	}
	switch {
	case op.Action == adsync.Remove:
		if o != nil {
			delete(d.objects, o.ID)
		}
		return adsync.Result{}
	case o == nil && op.Action == adsync.Update:
		return adsync.Result{Failure: &adsync.Failure{Code: adsync.CodeGone, Detail: "The object is gone.", Unapplied: true}}
	case o == nil:
		d.last++
		o = &Object{Kind: op.Kind, ID: strconv.Itoa(d.last), ParentID: op.ParentID, Marker: op.Marker, Fields: adsync.Fields{}}
		d.objects[o.ID] = o
	}
	for _, c := range op.Changes {
		o.Fields[c.Field] = c.After
	}
	return adsync.Result{RemoteID: o.ID, RequestID: "request " + o.ID}
}

func (d *Driver) byMarker(marker string) *Object {
	for _, o := range d.objects {
		if o.Marker == marker {
			return o
		}
	}
	return nil
}

// Validate accepts everything but a name "refused".
func (d *Driver) Validate(_ context.Context, _ adsync.AdAccount, ops []adsync.Operation) []adsync.Result {
	out := make([]adsync.Result, len(ops))
	for n, op := range ops {
		if op.Fields["name"] == "refused" {
			out[n].Failure = &adsync.Failure{Code: adsync.CodePolicy, Field: "name", Detail: "The name is refused."}
		}
	}
	return out
}

// Read returns the objects that there are.
func (d *Driver) Read(_ context.Context, _ adsync.AdAccount, k adsync.Kind, ids []string) ([]adsync.Found, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []adsync.Found
	for _, id := range ids {
		if o := d.objects[id]; o != nil && o.Kind == k {
			out = append(out, adsync.Found{RemoteID: id, Fields: maps.Clone(o.Fields), ChangedBy: o.ChangedBy, ChangedAt: o.ChangedAt})
		}
	}
	return out, nil
}
