package memory

import (
	"context"
	"errors"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/links"
	storageunit "github.com/affiliatekit/affiliatekit/storage/unit"
)

// Whoever keeps a transaction beyond its unit gets an error, also while another
// unit writes, and changes nothing.
func TestATransactionIsOverWithItsUnit(t *testing.T) {
	is := is.New(t)
	ctx := context.Background()
	s := New()
	var read, written links.Tx
	is.NoErr(s.Links().Read(ctx, func(_ context.Context, tx links.Tx) error { read = tx; return nil }))
	is.NoErr(s.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error {
		written = tx
		return dropValue(tx.Advertisers().Add(ctx, sampleAdvertiser("1")))
	}))
	is.NoErr(s.Links().Write(ctx, func(ctx context.Context, tx links.Tx) error {
		if err := dropValue(tx.Advertisers().Add(ctx, sampleAdvertiser("2"))); err != nil {
			return err
		}
		for _, old := range []links.Tx{read, written} {
			_, err := old.Advertisers().Get(ctx, 1)
			is.True(errors.Is(err, storageunit.ErrEnded))
			_, err = old.Advertisers().Add(ctx, sampleAdvertiser("3"))
			is.True(errors.Is(err, storageunit.ErrEnded))
			_, err = old.Links().Get(ctx, 1)
			is.True(errors.Is(err, storageunit.ErrEnded))
			_, err = old.Links().Find(ctx, 1, 1, links.LinkKey{})
			is.True(errors.Is(err, storageunit.ErrEnded))
		}
		return nil
	}))
	is.Equal(s.core.advertisers.Len(), 2)
	is.NoErr(s.Check())
}
