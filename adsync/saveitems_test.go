package adsync_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// results are those of SaveItems in short: "new r1 Title", "r1 Title" for one
// that was there, and the problem of one that was refused.
func results(list []adsync.ItemResult) []string {
	out := make([]string, len(list))
	for n, r := range list {
		switch {
		case r.Err != nil:
			out[n] = problem(r.Err)
		case r.Created:
			out[n] = "new " + r.Item.ReferenceID + " " + r.Item.Title
		default:
			out[n] = r.Item.ReferenceID + " " + r.Item.Title
		}
	}
	return out
}

func titled(reference, title string) adsync.ItemInput {
	return adsync.ItemInput{ReferenceID: adsync.Sent(reference), Title: adsync.Sent(title)}
}

func TestEachLineOfAFeedHasItsOwnResult(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		there := kept(w.acme.SaveItem(ctx, vehicle("there")))(t)
		theirs := kept(w.bolt.SaveItem(ctx, vehicle("theirs")))(t)
		w.pass(time.Minute)
		bad := vehicle("bad")
		bad.Year = adsync.Sent(1)
		got := must(w.acme.SaveItems(ctx, []adsync.ItemInput{
			vehicle("r1"),
			titled("there", "by reference"),
			bad,
			titled("r1", "of an earlier line"),
			titled("unknown", "nobody's"),
			{ID: there.ID.String(), ReferenceID: adsync.Sent("moved"), Title: adsync.Sent("by id")},
			titled("there", "free by now, and nobody's"),
			titled("moved", "by its new reference"),
			{ID: there.ID.String(), ReferenceID: adsync.Sent("r1")},
			{ID: theirs.ID.String(), Title: adsync.Sent("stolen")},
			{ID: "no id", Title: adsync.Sent("x")},
			titled("moved", "by its new reference"), // no change
		}))(t)
		const incomplete = "validation_failed; ad_template_type required; available required; content_language required"
		is.Equal(results(got), []string{
			"new r1 Title of r1", "there by reference", "validation_failed; year out_of_range", "r1 of an earlier line", incomplete, "moved by id", incomplete,
			"moved by its new reference", "taken; reference_id taken", "not_found", "not_found", "moved by its new reference",
		})
		is.Equal(got[3].Item.ID, got[0].Item.ID)
		is.Equal(must(w.acme.Item(ctx, "r1"))(t).Title, "of an earlier line")
		is.Equal(must(w.acme.Item(ctx, there.ID.String()))(t).Title, "by its new reference")
		is.Equal(must(w.bolt.Item(ctx, "theirs"))(t), theirs)
		is.Equal(len(must(w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{}))(t).Items), 2)
		is.Equal(w.jobs("acme"), "item v2, item v1")

		is.Equal(len(must(w.acme.SaveItems(ctx, nil))(t)), 0)
		_, err := w.acme.SaveItems(ctx, make([]adsync.ItemInput, adsync.MaxItemInputs+1))
		is.Equal(problem(err), "validation_failed; items too_many")
		_, err = w.operator.SaveItems(ctx, []adsync.ItemInput{vehicle("x")})
		is.Equal(problem(err), "validation_failed; account_id required")
		_, err = w.as("acme", true).SaveItems(ctx, []adsync.ItemInput{vehicle("x")})
		is.True(errors.Is(err, affiliate.ErrForbidden))
	})
}

func TestLinesOfAFeedAreFoundByTheirFingerprints(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		car := func(brand, title string) adsync.ItemInput {
			in := vehicle("")
			in.ReferenceID, in.Brand, in.Title = adsync.Field[string]{}, adsync.Sent(brand), adsync.Sent(title)
			return in
		}
		first := kept(w.acme.SaveItem(ctx, car("Volkswagen", "one")))(t)
		w.pass(time.Minute)
		got := must(w.acme.SaveItems(ctx, []adsync.ItemInput{
			car("Volkswagen", "two"), car("Ford", "three"), car("Ford", "four"),
			{ID: first.ID.String(), Brand: adsync.Sent("Fiat")},
			car("Volkswagen", "five"), car("Fiat", "six"),
		}))(t)
		is.Equal(results(got), []string{" two", "new  three", " four", " two", "new  five", " six"})
		is.Equal(got[5].Item.ID, first.ID)
		is.Equal(len(must(w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{}))(t).Items), 3)
	})
}

func TestLinesOfAFeedMayChangeReferenceIDsAmongThemselves(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		a := kept(w.acme.SaveItem(ctx, vehicle("a")))(t).ID.String()
		b := kept(w.acme.SaveItem(ctx, vehicle("b")))(t).ID.String()
		to := func(id, reference string) adsync.ItemInput {
			return adsync.ItemInput{ID: id, ReferenceID: adsync.Sent(reference)}
		}
		got := must(w.acme.SaveItems(ctx, []adsync.ItemInput{to(a, "c"), to(b, "a"), to(a, "b"), {ID: b, ReferenceID: adsync.Null[string]()}, vehicle("a")}))(t)
		is.Equal(results(got), []string{"c Title of a", "a Title of b", "b Title of a", " Title of b", "new a Title of a"})
		is.Equal(must(w.acme.Item(ctx, "b"))(t).ID.String(), a)
	})
}

func TestTheAdsOfAFeedFollowItsItems(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		_, set, _ := w.tree()
		kept(w.acme.SaveItem(ctx, vehicle("r1")))(t)
		must(w.acme.SaveTemplate(ctx, vehicles(set)))(t)
		w.pass(time.Minute)
		untitled := vehicle("r3")
		untitled.Title = adsync.Field[string]{}
		sold := adsync.ItemInput{ReferenceID: adsync.Sent("r2"), Available: adsync.Sent(false)}
		got := must(w.acme.SaveItems(ctx, []adsync.ItemInput{titled("r1", "New title"), vehicle("r2"), untitled, sold}))(t)
		is.Equal(results(got), []string{"r1 New title", "new r2 Title of r2", "validation_failed; ad_template_type required", "r2 Title of r2"})
		is.True(got[3].Item.SoldOutAt.Equal(w.clock()))
		is.Equal(w.made(set), "active New title, paused Title of r2")
		_, err := w.acme.Item(ctx, "r3")
		is.True(errors.Is(err, affiliate.ErrNotFound))
	})
}

// Two processes have the same feed. Each item comes once, whoever saves it first.
func TestTwoFeedsAtOnceMakeEachItemOnce(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is, ctx := is.New(t), t.Context()
		const feeds, lines = 4, 20
		var wg sync.WaitGroup
		created := make([]int, feeds)
		errs := make([]error, feeds)
		for feed := range feeds {
			wg.Go(func() {
				inputs := make([]adsync.ItemInput, lines)
				for n := range inputs {
					inputs[n] = vehicle(fmt.Sprint("r", (n+feed*7)%lines))
				}
				got, err := w.acme.SaveItems(ctx, inputs)
				for _, r := range got {
					if err = errors.Join(err, r.Err); r.Created {
						created[feed]++
					}
				}
				errs[feed] = err
			})
		}
		wg.Wait()
		is.NoErr(errors.Join(errs...))
		sum := 0
		for _, n := range created {
			sum += n
		}
		is.Equal(sum, lines)
		is.Equal(len(must(w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{Size: 100}))(t).Items), lines)
	})
}

// A feed does what saving its lines one by one does.
func TestAFeedIsAsItsLinesOneByOne(t *testing.T) {
	is, ctx := is.New(t), t.Context()
	worlds := [2]*world{newWorld(t, backends.Memory()), newWorld(t, backends.Memory())}
	pick := func(n int, of ...string) string { return of[n%len(of)] }
	var inputs []adsync.ItemInput
	for n := range 300 {
		in := adsync.ItemInput{}
		if n%3 > 0 {
			in = vehicle("")
			in.ReferenceID = adsync.Field[string]{}
		}
		if r := pick(n*5, "", "a", "b", "c", "d"); r != "" {
			in.ReferenceID = adsync.Sent(r)
		}
		if n%7 == 3 {
			in.ReferenceID = adsync.Null[string]()
		}
		if brand := pick(n/2, "", "Ford", "Fiat", ""); brand != "" {
			in.Brand = adsync.Sent(brand)
		}
		in.Title = adsync.Sent(fmt.Sprint("title ", n%11))
		inputs = append(inputs, in)
	}
	var one []string
	for _, in := range inputs {
		i, created, err := worlds[0].acme.SaveItem(ctx, in)
		one = append(one, results([]adsync.ItemResult{{Item: i, Created: created, Err: err}})...)
	}
	is.Equal(results(must(worlds[1].acme.SaveItems(ctx, inputs))(t)), one)
	state := func(w *world) string {
		var out []string
		for _, i := range must(w.acme.Items(ctx, adsync.ItemFilter{}, adsync.PageRequest{Size: 1000}))(t).Items {
			i.ID = uuid.Nil
			out = append(out, fmt.Sprintf("%+v", i))
		}
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	is.Equal(state(worlds[1]), state(worlds[0]))
}
