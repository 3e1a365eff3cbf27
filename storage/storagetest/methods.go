package storagetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/events"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/links/move"
	"github.com/affiliatekit/affiliatekit/links/orders"
	"github.com/affiliatekit/affiliatekit/links/stats"
	"github.com/affiliatekit/affiliatekit/offers"
)

// method is a method of a repository.
type method struct{ accessor, repository, name string } // "Users", "UserRepository", "Add"

func (m method) String() string { return m.repository + "." + m.name }

// methodsOf are the methods of all repositories of a transaction.
func methodsOf(tx reflect.Type) []method {
	var out []method
	for accessor := range tx.Methods() {
		repository := accessor.Type.Out(0)
		for m := range repository.Methods() {
			out = append(out, method{accessor.Name, repository.Name(), m.Name})
		}
	}
	return out
}

// changes tells by its name whether a method changes, or locks, anything.
func (m method) changes() bool {
	return slices.Contains([]string{
		"Add", "AddMissing", "AddOrGet", "Append", "Complete", "Count", "Delete", "Enqueue", "EraseVisitors", "Expire", "Forget", "Lease", "Lock", "LockDue", "MarkRead", "MarkUnused", "Meet",
		"Number", "Put", "Queue", "Relate", "Remove", "RemoveBefore", "Requeue", "Reseal", "Reserve", "Sent", "Set", "Settle", "Share", "Take", "Update", "Use", "Wake",
	}, m.name)
}

// adds tells by its name whether a method makes what others then find.
func (m method) adds() bool {
	return slices.Contains([]string{"Add", "AddMissing", "AddOrGet", "Append", "Enqueue", "Put", "Reserve", "Set"}, m.name)
}

// call calls the method with arguments that are good for something in a world.
func (m method) call(ctx context.Context, tx any, w world) error {
	out := m.results(ctx, tx, w, 10)
	err, _ := out[len(out)-1].Interface().(error)
	return err
}

// results is all that the method returns, its error last. The limit is for a method
// that takes one.
func (m method) results(ctx context.Context, tx any, w world, limit int) []reflect.Value {
	fn, args := m.prepare(ctx, tx, w, limit)
	return fn(args)
}

// prepare is the method, and what it is called with. A list of arguments is one slice.
func (m method) prepare(ctx context.Context, tx any, w world, limit int) (fn func([]reflect.Value) []reflect.Value, args []reflect.Value) {
	f := reflect.ValueOf(tx).MethodByName(m.accessor).Call(nil)[0].MethodByName(m.name)
	if fn = f.Call; f.Type().IsVariadic() {
		fn = f.CallSlice
	}
	args = []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < f.Type().NumIn(); i++ {
		in, variadic := f.Type().In(i), f.Type().IsVariadic() && i == f.Type().NumIn()-1
		arg, ok := w.kept.argument(m, in)
		if variadic && !ok {
			in = in.Elem()
			arg, ok = w.kept.argument(m, in)
		} else {
			variadic = false
		}
		switch {
		case ok:
		case in.Kind() == reflect.Int:
			arg = reflect.ValueOf(limit)
		default:
			arg = argument(in, w)
		}
		if variadic {
			arg = reflect.Append(reflect.Zero(reflect.SliceOf(in)), arg)
		}
		args = append(args, arg)
	}
	return fn, args
}

// printed is what the arguments of a method are, as a text.
func printed(args []reflect.Value) string {
	var b strings.Builder
	for _, arg := range args[1:] { // without the context
		fmt.Fprintf(&b, "%+v\n", arg.Interface())
	}
	return b.String()
}

// setTexts sets the texts in the arguments of a method: one of them, or all below zero.
// It reports whether there was something to set.
func setTexts(args []reflect.Value, text string, which int) (some bool) {
	s := textSetter{text: text, which: which}
	for i, arg := range args {
		changed := reflect.New(arg.Type()).Elem()
		changed.Set(arg)
		if s.set(changed) {
			args[i], some = changed, true
		}
	}
	return some
}

type textSetter struct {
	text        string
	which, seen int
}

func (s *textSetter) set(v reflect.Value) (some bool) {
	switch v.Type() {
	case reflect.TypeFor[affiliate.PageRequest](), reflect.TypeFor[affiliate.Sort](), reflect.TypeFor[links.Cursor](): // what is no column or cursor is refused
		return false
	}
	switch v.Kind() {
	case reflect.String:
		if some = s.which < 0 || s.which == s.seen; some {
			v.SetString(s.text)
		}
		s.seen++
	case reflect.Slice:
		list := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, 1), v) // the arguments share it
		if v.Len() == 0 {
			list = list.Slice(0, 1)
		}
		for i := range list.Len() {
			some = s.set(list.Index(i)) || some
		}
		if some {
			v.Set(list)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			some = field.CanSet() && s.set(field) || some
		}
	}
	return some
}

// found is how many values a result has: those of a list, of lists, or of a page.
func found(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Slice {
			return v.Len()
		}
		for i := range v.Len() {
			n += v.Index(i).Len()
		}
	case reflect.Struct:
		if items := v.FieldByName("Items"); items.IsValid() {
			return items.Len()
		}
	}
	return n
}

// argument is a value of the type that a method may be called with.
func argument(in reflect.Type, w world) reflect.Value {
	page := affiliate.PageRequest{Number: 1, Size: 10}
	if w.byKeys {
		page.Keys = new(affiliate.PageKeys)
	}
	for _, v := range []any{
		page, w.users[0].ID, []int64{w.users[1].ID, w.users[0].ID}, "x", []string{"x", "a"}, at(0), affiliate.RoleAgency,
		w.advertisers[0], w.groups[0], sampleCategory(1), w.clients[0], affiliate.RevenueTier{ClientID: w.clients[0].ID, Name: "x"}, w.users[0], sampleTag(1), sampleToken(1),
		identity.Membership{Role: affiliate.RoleAgency, Subject: "x", AdvertiserID: w.advertisers[0].ID},
		sampleAccount(77), sampleAgency(77), sampleInvite(w, 77), sampleMail(77), sampleMedium(77),
		sampleEntry(77), sampleEvent(1), sampleConsumer(1), eventLease(1), events.Settlement{ConsumerID: 1, Token: "x"}, sampleEndpoint(1), webhooks.Attempt{EndpointID: 1, Kind: "x", At: at(0), Result: events.Done}, sampleKey("x", "x"),
		sampleRule(w, 1), affiliate.BlocklistEntry{AdvertiserID: w.advertisers[0].ID, UserID: w.users[0].ID},
		sampleLink(w, 1), links.Retained{}, links.VisitorSecret{Date: links.DayOf(at(0))},
		[]links.Visit{{LinkID: 1}}, sampleList(1), sampleProduct(1),
		sampleSeller(1), sampleUID(1),
		sampleOrder(w, 1), orders.OrderKey{AdvertiserID: 1, Number: "x"}, sampleRefund(w, 1), sampleVoucher(w, 1), orders.VoucherKey{AdvertiserID: 1, Code: "x"},
		sampleCollector(w, 1), sampleRateCard(w, 1), []orders.CardAt{{OfferID: 1, At: at(0)}}, sampleOneTime(w, 1),
		samplePayment(w, 1), payouts.Invoice{PaymentID: 1, Series: "A", Serial: 1}, payouts.SeriesTake{Series: "A", Count: 1}, payouts.SealedDetails{UserID: w.users[0].ID},
		payouts.Hold{UserID: w.users[0].ID}, payouts.AXID{UserID: w.users[0].ID, AXID: "x"}, sampleSystem(1), sampleSetup(w),
		sampleOffer(w, 1), offers.Target{Kind: offers.TargetEveryone}, []offers.Lookup{{AdvertiserID: w.advertisers[0].ID, Targets: []offers.Target{{Kind: offers.TargetEveryone}}}}, offers.Participant{OfferID: 1, UserID: w.users[0].ID, Status: offers.Open},
		offers.UsageKey{OfferID: 1}, offers.Usage{UsageKey: offers.UsageKey{OfferID: 1}}, sampleBudget(w, 1),
		offers.Comment{ParticipantID: 1, Text: "x"}, offers.Activity{ParticipantID: 1, Type: "x"}, sampleAd(w, 1), sampleImage(w, "x"),
		stats.Change{Key: stats.Key{AdvertiserID: 1, Day: links.DayOf(at(0))}, Levels: 1 << stats.AdvertiserLevel}, stats.Visit{OfferID: 1, Day: links.DayOf(at(0))},
		sampleStatsConfig(w, 1), identity.Person{UserID: w.users[0].ID}, sampleSyncAccount(1), sampleAdAccount(1), adsync.AdAccountFilter{Connected: affiliate.Some(true), WithCatalog: true}, sampleItem(1), sampleCampaign(1), sampleAdSet(1), sampleSyncAd(1), sampleTemplate(1), sampleJob(1),
		sampleLease(1), adsync.Outcome{JobID: 1, Token: "x"}, sampleRemote(1),
		move.Groups,
	} {
		if reflect.TypeOf(v) == in {
			return reflect.ValueOf(v)
		}
	}
	return reflect.Zero(in)
}
