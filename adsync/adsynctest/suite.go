package adsynctest

import (
	"context"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// Service is a driver with the service behind it, as RunDriver needs them.
type Service struct {
	Driver    adsync.Driver
	AdAccount adsync.AdAccount // with a catalog
	// SetFault has the service fail; nil: it does not.
	SetFault func(FaultFunc)
	// Count returns how many objects of a kind the service has that are not
	// removed.
	Count func(adsync.Kind) int
	// Rename changes the name of a campaign as somebody else would.
	Rename func(remoteID, name, who string)
	// Pass lets time pass, so that the service gets on with what it works on.
	Pass func(time.Duration)
}

// RunDriver runs the cases that every driver passes. open returns a driver with
// a service that has nothing.
func RunDriver(t *testing.T, open func(t *testing.T) Service) {
	for _, c := range []struct {
		name string
		run  func(*suite, *testing.T)
	}{
		{"objects are made, read back, changed and removed", (*suite).testTree},
		{"items are put in place of each other", (*suite).testItems},
		{"a create whose answer was lost is looked up", (*suite).testLostAnswer},
		{"a create that was not applied is sent again", (*suite).testLostCall},
		{"a removal without an id looks for the object", (*suite).testRemoveUnknown},
		{"removing what is gone succeeds", (*suite).testRemoveGone},
		{"failures say whether a retry may succeed", (*suite).testFailures},
		{"a check changes nothing", (*suite).testValidate},
		{"changes by others are read", (*suite).testEdits},
		{"what is not sent in time says so", (*suite).testNotSent},
		{"operations of many records have a result each", (*suite).testMany},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&suite{Service: open(t)}, t)
		})
	}
}

type suite struct{ Service }

func fail(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got %+v, want %+v", what, got, want)
	}
}

// target is record n of a kind, complete, within record 1 of its parent's kind.
func (s *suite) target(k adsync.Kind, n int) adsync.Target {
	id := func(kind byte, n int) uuid.UUID {
		return uuid.UUID{1, 0x93, 0, 0, 0, kind, 0x70, 0, 0x80, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}
	}
	at := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	places := adsync.Places{Countries: []string{"BR", "SE"}, Regions: []string{"3847"}}
	if s.Driver.Service() == adsync.GoogleAds {
		places = adsync.Places{Countries: []string{"BR"}, CriteriaIDs: []string{"21137"}}
	}
	budgeted := adsync.Configuration{
		DailyBudget: affiliate.Some(adsync.Budget{Amount: 1299}), Geo: affiliate.Some(adsync.Targeting{Places: places}),
	}
	campaign := adsync.Campaign{
		ID: id(1, 1), AccountID: "account", AdAccountID: s.AdAccount.ID, Service: s.Driver.Service(), State: adsync.Active, Title: "Summer", CreatedAt: at,
	}
	set := adsync.AdSet{
		ID: id(2, 1), AccountID: "account", AdAccountID: s.AdAccount.ID, CampaignID: campaign.ID, Service: s.Driver.Service(), State: adsync.Active,
		Title: "Set", CreatedAt: at, Bids: adsync.Bids{CPC: affiliate.Some(int64(123)), Impressions: affiliate.Some(int64(45))},
	}
	if s.Driver.Service() == adsync.GoogleAds {
		campaign.Configuration = budgeted
	} else {
		set.Configuration = budgeted
	}
	t := adsync.Target{Account: adsync.Account{ID: "account"}, AdAccount: s.AdAccount, Kind: k}
	switch k {
	case adsync.KindCampaign:
		campaign.ID = id(1, n)
		t.Campaign = campaign
	case adsync.KindAdSet:
		set.ID = id(2, n)
		t.Campaign, t.AdSet = campaign, set
	case adsync.KindAd:
		t.AdSet, t.Ad = set, s.ad(id(3, n), set)
	default:
		t.Item = adsync.Item{
			ID: id(4, n), AccountID: "account", AdTemplateType: "vehicle", Available: true, ContentLanguage: "pt-br", Brand: "Volkswagen", Model: "Jetta",
			Condition: adsync.New, Title: "Jetta", Description: "A car", Link: "https://shop.example/jetta",
			Images: []adsync.Image{{URL: "https://shop.example/jetta.png", Order: 1}}, Price: affiliate.NewMoney(2117990, "BRL"), CreatedAt: at,
		}
	}
	t.Marker = adsync.Marker(t.RecordID())
	return t
}

func (s *suite) ad(id uuid.UUID, set adsync.AdSet) adsync.Ad {
	ad := adsync.Ad{
		ID: id, AccountID: "account", AdAccountID: s.AdAccount.ID, AdSetID: set.ID, Service: s.Driver.Service(), State: adsync.Active,
		Type: adsync.ImageWithLink, DestinationURL: "https://shop.example/", CreatedAt: set.CreatedAt,
		Creative: adsync.Creative{
			Link: "https://shop.example/jetta", Message: "Buy", Picture: "https://shop.example/jetta.png", Description: "A car",
			CallToAction: "OPEN_LINK", LinkCaption: "shop.example",
		},
	}
	if s.Driver.Service() == adsync.GoogleAds {
		ad.Type = adsync.ExpandedTextAd
		ad.Creative = adsync.Creative{HeadlinePart1: "Jetta", HeadlinePart2: "Only today", Description: "A car"}
	}
	return ad
}

// create is the operation that makes the object of a target.
func (s *suite) create(t *testing.T, target adsync.Target, parent string) adsync.Operation {
	t.Helper()
	fields, err := s.Driver.Object(target)
	if err != nil {
		t.Fatalf("the %s is complete, and Object returned %v", target.Kind, err)
	}
	return adsync.Operation{
		Action: adsync.Create, Kind: target.Kind, RecordID: target.RecordID(), Marker: target.Marker, ParentID: parent, Fields: fields,
		Changes: adsync.Diff(nil, fields),
	}
}

func (s *suite) send(t *testing.T, op adsync.Operation) adsync.Result {
	t.Helper()
	results := s.Driver.Apply(t.Context(), s.AdAccount, []adsync.Operation{op})
	if len(results) != 1 {
		t.Fatalf("%d results for one operation", len(results))
	}
	return results[0]
}

// must sends an operation, waits for the service if it works on it, and returns
// the service's id.
func (s *suite) must(t *testing.T, op adsync.Operation) string {
	t.Helper()
	for range 20 {
		r := s.send(t, op)
		if r.Failure != nil {
			t.Fatalf("%s %s: %v", op.Action, op.Kind, r.Failure)
		}
		if r.Handle == "" {
			return r.RemoteID
		}
		op.Handle = r.Handle
		s.Pass(max(r.RetryAfter, time.Second))
	}
	t.Fatalf("%s %s: the service works on it for ever", op.Action, op.Kind)
	return ""
}

// tree makes a campaign, an ad set and an ad, and returns their ids.
func (s *suite) tree(t *testing.T) map[adsync.Kind]string {
	t.Helper()
	ids := map[adsync.Kind]string{}
	parent := ""
	for _, k := range []adsync.Kind{adsync.KindCampaign, adsync.KindAdSet, adsync.KindAd} {
		parent = s.must(t, s.create(t, s.target(k, 1), parent))
		if ids[k] = parent; parent == "" {
			t.Fatalf("the %s has no id", k)
		}
	}
	return ids
}

// read returns what the service tells of an object; nil: it is gone.
func (s *suite) read(t *testing.T, k adsync.Kind, id string) *adsync.Found {
	t.Helper()
	found, err := s.Driver.Read(t.Context(), s.AdAccount, k, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return nil
	}
	fail(t, "objects of one id", len(found), 1)
	fail(t, "id", found[0].RemoteID, id)
	return &found[0]
}

// holds checks that the service tells nothing else than what was sent.
func (s *suite) holds(t *testing.T, k adsync.Kind, id string, sent adsync.Fields) {
	t.Helper()
	found := s.read(t, k, id)
	if found == nil {
		t.Fatalf("the %s is gone", k)
	}
	if len(found.Fields) == 0 {
		t.Fatalf("nothing is told of the %s", k)
	}
	for name, value := range found.Fields {
		if value != sent[name] {
			t.Errorf("%s of the %s: got %q, sent %q", name, k, value, sent[name])
		}
	}
}

func (s *suite) testTree(t *testing.T) {
	ids := s.tree(t)
	for k, id := range ids {
		s.holds(t, k, id, s.create(t, s.target(k, 1), "").Fields)
		fail(t, "number of the kind "+string(k), s.Count(k), 1)
	}
	for k, id := range ids {
		changed := s.target(k, 1)
		changed.Campaign.State, changed.AdSet.State, changed.Ad.State = adsync.Paused, adsync.Paused, adsync.Paused
		changed.Campaign.Title, changed.AdSet.Title = "Winter", "Another set"
		changed.Ad.Creative.Description, changed.Ad.Creative.HeadlinePart2 = "Another car", "Only tomorrow"
		before, after := s.create(t, s.target(k, 1), "").Fields, s.create(t, changed, "").Fields
		op := adsync.Operation{
			Action: adsync.Update, Kind: k, RecordID: changed.RecordID(), Marker: changed.Marker, RemoteID: id, Fields: after, Changes: adsync.Diff(before, after),
		}
		fail(t, "id of the "+string(k)+" after a change", s.must(t, op), id)
		s.holds(t, k, id, after)
		op.Repeated, op.Changes = true, adsync.Diff(nil, after) // again, with all fields
		s.must(t, op)
		s.holds(t, k, id, after)
	}
	for _, k := range []adsync.Kind{adsync.KindAd, adsync.KindAdSet, adsync.KindCampaign} {
		target := s.target(k, 1)
		s.must(t, adsync.Operation{Action: adsync.Remove, Kind: k, RecordID: target.RecordID(), Marker: target.Marker, RemoteID: ids[k]})
		fail(t, "number of the kind "+string(k)+" after its removal", s.Count(k), 0)
		if s.read(t, k, ids[k]) != nil {
			t.Errorf("the removed %s is still read", k)
		}
	}
}

func (s *suite) testItems(t *testing.T) {
	target := s.target(adsync.KindItem, 1)
	op := s.create(t, target, "")
	id := s.must(t, op)
	s.holds(t, adsync.KindItem, id, op.Fields)
	fail(t, "the same again", s.must(t, op), id)
	before := op.Fields
	target.Item.Available, target.Item.Title = false, "Jetta, sold"
	op = s.create(t, target, "")
	op.Action, op.RemoteID, op.Changes = adsync.Update, id, adsync.Diff(before, op.Fields)
	fail(t, "id after a change", s.must(t, op), id)
	s.holds(t, adsync.KindItem, id, op.Fields)
	fail(t, "items", s.Count(adsync.KindItem), 1)
}

func (s *suite) testLostAnswer(t *testing.T) { s.lost(t, DropAfter) }
func (s *suite) testLostCall(t *testing.T)   { s.lost(t, DropBefore) }

func (s *suite) lost(t *testing.T, fault ServiceFault) {
	parent := ""
	for _, k := range []adsync.Kind{adsync.KindCampaign, adsync.KindAdSet, adsync.KindAd} {
		op := s.create(t, s.target(k, 1), parent)
		s.SetFault(Once(fault, http.MethodPost, ""))
		r := s.send(t, op)
		s.SetFault(nil)
		if r.Failure == nil || !r.Failure.Retryable || r.Failure.Unapplied || r.Failure.Throttled {
			t.Fatalf("a lost answer to a create of the %s is %+v, want a retryable failure of unknown result", k, r.Failure)
		}
		op.Repeated = true
		parent = s.must(t, op)
		fail(t, "number of the kind "+string(k), s.Count(k), 1)
		s.holds(t, k, parent, op.Fields)
	}
}

func (s *suite) testRemoveUnknown(t *testing.T) {
	target := s.target(adsync.KindCampaign, 1)
	remove := adsync.Operation{Action: adsync.Remove, Kind: target.Kind, RecordID: target.RecordID(), Marker: target.Marker, Repeated: true}
	s.must(t, remove) // it was never made
	s.must(t, s.create(t, target, ""))
	s.must(t, s.create(t, s.target(adsync.KindCampaign, 2), ""))
	s.must(t, remove)
	fail(t, "campaigns", s.Count(adsync.KindCampaign), 1)
}

func (s *suite) testRemoveGone(t *testing.T) {
	ids := s.tree(t)
	for range 2 {
		for _, k := range []adsync.Kind{adsync.KindCampaign, adsync.KindAdSet, adsync.KindAd} { // parents first
			target := s.target(k, 1)
			s.must(t, adsync.Operation{Action: adsync.Remove, Kind: k, RecordID: target.RecordID(), Marker: target.Marker, RemoteID: ids[k]})
		}
	}
	fail(t, "ads", s.Count(adsync.KindAd), 0)
}

func (s *suite) testFailures(t *testing.T) {
	for fault, want := range map[ServiceFault]adsync.Failure{
		DropBefore:     {Code: adsync.CodeUnknownResult, Retryable: true},
		ErrorBefore:    {Code: adsync.CodeUnavailable, Retryable: true},
		RateLimited:    {Code: adsync.CodeRateLimited, Retryable: true, Throttled: true, Unapplied: true},
		PolicyRejected: {Code: adsync.CodePolicy, Unapplied: true},
		VersionGone:    {Code: adsync.CodeVersionGone, Unapplied: true},
	} {
		s.SetFault(Once(fault, http.MethodPost, ""))
		r := s.send(t, s.create(t, s.target(adsync.KindCampaign, 1), ""))
		s.SetFault(nil)
		if r.Failure == nil {
			t.Fatalf("%s: no failure", fault)
		}
		got := adsync.Failure{Code: r.Failure.Code, Retryable: r.Failure.Retryable, Throttled: r.Failure.Throttled, Unapplied: r.Failure.Unapplied}
		fail(t, string(fault), got, want)
		if r.Failure.Detail == "" {
			t.Errorf("%s: the failure has no detail", fault)
		}
		if fault == RateLimited {
			if r.Failure.RetryAfter <= 0 {
				t.Errorf("%s: the failure does not say how long to wait", fault)
			}
			s.Pass(time.Hour)
		}
	}
	fail(t, "campaigns", s.Count(adsync.KindCampaign), 0)
}

func (s *suite) testValidate(t *testing.T) {
	op := s.create(t, s.target(adsync.KindCampaign, 1), "")
	r := s.Driver.Validate(t.Context(), s.AdAccount, []adsync.Operation{op})
	fail(t, "results", len(r), 1)
	if r[0].Failure != nil {
		t.Fatalf("a valid campaign: %v", r[0].Failure)
	}
	fail(t, "campaigns", s.Count(adsync.KindCampaign), 0)
	s.SetFault(Once(PolicyRejected, http.MethodPost, ""))
	r = s.Driver.Validate(t.Context(), s.AdAccount, []adsync.Operation{op})
	s.SetFault(nil)
	if r[0].Failure == nil || r[0].Failure.Code != adsync.CodePolicy {
		t.Fatalf("a campaign against the policies: %+v", r[0].Failure)
	}
}

func (s *suite) testEdits(t *testing.T) {
	ids := s.tree(t)
	s.Pass(time.Minute)
	s.Rename(ids[adsync.KindCampaign], "Fire sale", "jo@example.com")
	found := s.read(t, adsync.KindCampaign, ids[adsync.KindCampaign])
	fail(t, "name", found.Fields["name"], "Fire sale")
	fail(t, "who", found.ChangedBy, "jo@example.com")
	if found.ChangedAt.IsZero() {
		t.Error("the change has no time")
	}
}

func (s *suite) testNotSent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ops := []adsync.Operation{s.create(t, s.target(adsync.KindCampaign, 1), ""), s.create(t, s.target(adsync.KindItem, 1), "")}
	for n, r := range s.Driver.Apply(ctx, s.AdAccount, ops) {
		if r.Failure == nil || r.Failure.Code != adsync.CodeNotSent || !r.Failure.Unapplied {
			t.Errorf("operation %d: %+v, want the code %s", n, r.Failure, adsync.CodeNotSent)
		}
	}
}

func (s *suite) testMany(t *testing.T) {
	var ops []adsync.Operation
	for n := 1; n <= 5; n++ {
		ops = append(ops, s.create(t, s.target(adsync.KindItem, n), ""), s.create(t, s.target(adsync.KindCampaign, n), ""))
	}
	for pending := true; pending; {
		pending = false
		results := s.Driver.Apply(t.Context(), s.AdAccount, ops)
		fail(t, "results", len(results), len(ops))
		var left []adsync.Operation
		for n, r := range results {
			if r.Failure != nil {
				t.Fatalf("operation %d: %v", n, r.Failure)
			}
			if r.Handle != "" {
				op := ops[n]
				op.Handle = r.Handle
				left, pending = append(left, op), true
			}
		}
		ops = left
		s.Pass(time.Minute)
	}
	fail(t, "items", s.Count(adsync.KindItem), 5)
	fail(t, "campaigns", s.Count(adsync.KindCampaign), 5)
}
