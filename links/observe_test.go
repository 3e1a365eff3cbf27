package links_test

import (
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

// faultyCommit is a store that fails to commit a recording, or needs two runs for it.
type faultyCommit struct {
	links.Store
	fails bool
}

func (s *faultyCommit) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	failure := errors.New("cannot commit")
	err := s.Store.Record(ctx, func(ctx context.Context, tx links.Tx) error { return errors.Join(fn(ctx, tx), failure) })
	if s.fails || !errors.Is(err, failure) {
		return err
	}
	return s.Store.Record(ctx, fn)
}

func TestOnlyClicksThatAreKeptAreTold(t *testing.T) {
	is := is.New(t)
	b := backends.Memory()
	store := &faultyCommit{Store: b.Links}
	b.Links = store
	var told []links.Verdict
	w := newWorld(t, b, links.Options{PublicURL: "https://go.example", Observe: func(v links.Verdict, _ string) { told = append(told, v) }})
	link := w.convert(w.anna, "https://acme.example/")
	for _, store.fails = range []bool{true, false} {
		_, err := w.links.Follow(t.Context(), links.Hit{LinkID: link.ID, IP: "192.0.2.1", UserAgent: "Firefox"})
		is.Equal(err != nil, store.fails)
	}
	is.Equal(told, []links.Verdict{links.VerdictValid}) // the second, though its unit ran twice
}
