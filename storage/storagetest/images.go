package storagetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/offers"
	"github.com/affiliatekit/affiliatekit/offers/returnads"
)

func imageScenarios() []scenario[offers.Store] {
	return []scenario[offers.Store]{
		{"images/kept to the letter", testImageKept},
		{"images/totals of an owner", testImageTotals},
		{"images/removed once unused for long", testImagesExpire},
	}
}

func sampleImage(w world, key string) offers.Image {
	return offers.Image{Key: key, ImageOwner: offers.ImageOwner{AdvertiserID: w.advertisers[0].ID}, Bytes: 7}
}

func addImage(i offers.Image) func(context.Context, offers.Tx) error {
	return func(ctx context.Context, tx offers.Tx) error { return tx.Images().Add(ctx, i) }
}

func useImage(key string) func(context.Context, offers.Tx) error {
	return func(ctx context.Context, tx offers.Tx) error { return tx.Images().Use(ctx, key) }
}

func imageOf(t *testing.T, s offers.Store, key string) offers.Image {
	t.Helper()
	return see(t, s, func(ctx context.Context, tx offers.Tx) (offers.Image, error) { return tx.Images().Get(ctx, key) })
}

func testImageKept(t *testing.T, s offers.Store) {
	w := newWorld(t, s)
	full := sampleImage(w, "a.png")
	full.CreatedAt, full.UnusedSince, full.Removed = finer(at(1)), finer(at(2)), true
	upload := offers.Image{Key: strings.Repeat("ä", 255), ImageOwner: offers.ImageOwner{Uploader: strings.Repeat("ü", 128)}}
	write(t, s, addImage(full))
	write(t, s, addImage(upload))
	write(t, s, addImage(sampleImage(w, "a"))) // which no text that cannot be kept is cut to
	full.CreatedAt, full.UnusedSince = at(1), at(2)
	equal(t, "full", imageOf(t, s, "a.png"), full)
	equal(t, "upload", imageOf(t, s, upload.Key), upload)
	get := func(key string) func(context.Context, offers.Tx) error {
		return func(ctx context.Context, tx offers.Tx) error { return second(tx.Images().Get(ctx, key)) }
	}
	for _, key := range append(unkeepable(), "A.png", "") {
		unreadable(t, s, missing, get(key))
		refused(t, s, missing, useImage(key))
		write(t, s, func(ctx context.Context, tx offers.Tx) error { return tx.Images().Delete(ctx, []string{key}) })
	}
	refused(t, s, missing, useImage("a.png")) // it is being removed
	refused(t, s, taken("key"), addImage(sampleImage(w, "a.png")))
	for _, tt := range []struct {
		want  failure
		spoil func(i *offers.Image)
	}{
		{invalid("key", "required"), func(i *offers.Image) { i.Key = "" }},
		{invalid("key", "nul"), func(i *offers.Image) { i.Key = "\x00" }},
		{invalid("key", "too_long"), func(i *offers.Image) { i.Key = strings.Repeat("a", 256) }},
		{invalid("uploader", "invalid_utf8"), func(i *offers.Image) { i.AdvertiserID, i.Uploader = 0, "\xff" }},
		{invalid("uploader", "too_long"), func(i *offers.Image) { i.AdvertiserID, i.Uploader = 0, strings.Repeat("a", 129) }},
		{invalid("uploader", "ambiguous"), func(i *offers.Image) { i.Uploader = "x" }},
		{invalid("uploader", "ambiguous"), func(i *offers.Image) { i.AdvertiserID = 0 }},
		{invalid("bytes", "out_of_range"), func(i *offers.Image) { i.Bytes = -1 }},
		{unknown("advertiser_id"), func(i *offers.Image) { i.AdvertiserID = nowhere }},
	} {
		bad := sampleImage(w, "b.png")
		tt.spoil(&bad)
		refused(t, s, tt.want, addImage(bad))
	}
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Images().Delete(ctx, []string{"a.png", "nobody"})
	})
	unreadable(t, s, missing, get("a.png"))
	equal(t, "beside it", imageOf(t, s, upload.Key), upload)
	equal(t, "and", imageOf(t, s, "a"), sampleImage(w, "a"))
}

func testImageTotals(t *testing.T, s offers.Store) {
	w := newWorld(t, s)
	of := func(owner offers.ImageOwner) offers.ImageTotal {
		t.Helper()
		return see(t, s, func(ctx context.Context, tx offers.Tx) (offers.ImageTotal, error) {
			return tx.Images().Total(ctx, owner)
		})
	}
	acme, anna := offers.ImageOwner{AdvertiserID: w.advertisers[0].ID}, offers.ImageOwner{Uploader: "creator:anna"}
	equal(t, "of nobody", of(acme), offers.ImageTotal{})
	write(t, s, addImage(sampleImage(w, "a")))
	write(t, s, addImage(sampleImage(w, "b")))
	write(t, s, addImage(offers.Image{Key: "c", ImageOwner: offers.ImageOwner{AdvertiserID: w.advertisers[1].ID}, Bytes: 1 << 40}))
	write(t, s, addImage(offers.Image{Key: "d", ImageOwner: anna, Bytes: 3, Removed: true}))
	equal(t, "of an advertiser", of(acme), offers.ImageTotal{Images: 2, Bytes: 14})
	equal(t, "of another", of(offers.ImageOwner{AdvertiserID: w.advertisers[1].ID}), offers.ImageTotal{Images: 1, Bytes: 1 << 40})
	equal(t, "of an uploader", of(anna), offers.ImageTotal{Images: 1, Bytes: 3})
	for _, name := range append(unkeepable(), "creator:Anna", "") {
		equal(t, "of an unknown one", of(offers.ImageOwner{Uploader: name}), offers.ImageTotal{})
	}
}

func testImagesExpire(t *testing.T, s offers.Store) {
	expire := func(before time.Time, limit int) []string {
		t.Helper()
		return put(t, s, func(ctx context.Context, tx offers.Tx) ([]string, error) {
			return tx.Images().Expire(ctx, before, limit)
		})
	}
	write(t, s, addImage(offers.Image{Key: "early", ImageOwner: offers.ImageOwner{Uploader: "x"}, UnusedSince: at(5)}))
	equal(t, "before there is an advertiser", expire(at(5), 10), []string{"early"})
	write(t, s, func(ctx context.Context, tx offers.Tx) error { return tx.Images().Delete(ctx, []string{"early"}) })
	w := newWorldOfOffers(t, s)
	mark := func(advertiser int, now time.Time) {
		t.Helper()
		write(t, s, func(ctx context.Context, tx offers.Tx) error {
			return tx.Images().MarkUnused(ctx, w.advertisers[advertiser].ID, finer(now))
		})
	}
	since := func(key string) time.Time { t.Helper(); return imageOf(t, s, key).UnusedSince }
	for _, key := range []string{"campaign", "deleted", "logo", "late", "spare"} {
		write(t, s, addImage(sampleImage(w, key)))
	}
	write(t, s, addImage(offers.Image{Key: "upload", ImageOwner: offers.ImageOwner{Uploader: "x"}, UnusedSince: at(5)}))
	write(t, s, addImage(offers.Image{Key: "foreign", ImageOwner: offers.ImageOwner{AdvertiserID: w.advertisers[1].ID}}))
	with := func(n int, key string, deleted time.Time) offers.Offer {
		o := sampleOffer(w, n)
		o.ImageKey, o.DeletedAt = key, deleted
		return o
	}
	kept := addAll(t, s, addOffer, with(1, "campaign", time.Time{}), with(2, "deleted", at(1)), with(3, "foreign", time.Time{}))
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		a := w.advertisers[0]
		a.LogoURL = "https://x.example/media/logo"
		return tx.Advertisers().Update(ctx, a)
	})
	mark(0, at(10))
	mark(0, at(20)) // what is noted stays
	for key, want := range map[string]time.Time{"campaign": {}, "deleted": at(10), "logo": {}, "late": at(10), "upload": at(5), "foreign": {}} {
		equal(t, key, since(key), want)
	}
	mark(1, at(11)) // a campaign of another advertiser does not count
	equal(t, "foreign", since("foreign"), at(11))
	write(t, s, useImage("late"))
	equal(t, "used again", since("late"), time.Time{})
	mark(0, at(12))
	equal(t, "and not", since("late"), at(12))

	write(t, s, addImage(offers.Image{Key: "fresh", ImageOwner: offers.ImageOwner{AdvertiserID: w.advertisers[2].ID}})) // not looked at yet
	equal(t, "none is due", expire(at(5).Add(-time.Microsecond), 10), []string(nil))
	equal(t, "no more than none", expire(at(20), 0), []string(nil))
	equal(t, "one", expire(at(11), 1), []string{"upload"})
	refused(t, s, missing, useImage("upload"))
	equal(t, "two, by time and key", expire(at(11), 2), []string{"deleted", "upload"})
	equal(t, "with those that are marked", expire(at(11), 3), []string{"deleted", "spare", "upload"})
	equal(t, "again, until it is deleted", expire(at(11), 10), []string{"deleted", "foreign", "spare", "upload"})
	kept[0].ImageKey, kept[1].DeletedAt = "late", time.Time{} // the second one comes too late
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return errors.Join(tx.Offers().Update(ctx, kept[0]), tx.Offers().Update(ctx, kept[1]))
	})
	mark(0, at(13))
	equal(t, "at the time of one that is used after all", expire(at(12), 10), []string{"deleted", "foreign", "spare", "upload"})
	equal(t, "and that is noted", since("late"), time.Time{})
	equal(t, "without what is used after all", expire(at(13), 10), []string{"campaign", "deleted", "foreign", "spare", "upload"})
	write(t, s, func(ctx context.Context, tx offers.Tx) error {
		return tx.Images().Delete(ctx, []string{"campaign", "deleted", "foreign", "spare", "upload"})
	})
	equal(t, "nothing is left", expire(at(100), 10), []string(nil))
	equal(t, "the logo", since("logo"), time.Time{})
	equal(t, "the fresh one", imageOf(t, s, "fresh").Removed, false)
}

func testAdImages(t *testing.T, s returnads.Store) {
	w := newWorld(t, s)
	ad := sampleAd(w, 1)
	ad.ImageKey = "ad"
	mark := func(now time.Time) time.Time {
		t.Helper()
		return put(t, s, func(ctx context.Context, tx returnads.Tx) (time.Time, error) {
			if err := tx.Images().MarkUnused(ctx, ad.AdvertiserID, now); err != nil {
				return time.Time{}, err
			}
			i, err := tx.Images().Get(ctx, "ad")
			return i.UnusedSince, err
		})
	}
	write(t, s, func(ctx context.Context, tx returnads.Tx) error { return tx.Images().Add(ctx, sampleImage(w, "ad")) })
	foreign := sampleImage(w, "foreign")
	foreign.AdvertiserID = w.advertisers[1].ID
	write(t, s, func(ctx context.Context, tx returnads.Tx) error { return tx.Images().Add(ctx, foreign) })
	other := sampleAd(w, 2)
	other.ImageKey = "foreign"
	ad = addAll(t, s, addAd, ad, other)[0]
	equal(t, "of an ad of another advertiser", put(t, s, func(ctx context.Context, tx returnads.Tx) (time.Time, error) {
		err := tx.Images().MarkUnused(ctx, foreign.AdvertiserID, at(1))
		if err != nil {
			return time.Time{}, err
		}
		i, err := tx.Images().Get(ctx, "foreign")
		return i.UnusedSince, err
	}), at(1))
	equal(t, "of an ad", mark(at(1)), time.Time{})
	ad.DeletedAt = at(2)
	write(t, s, func(ctx context.Context, tx returnads.Tx) error { return tx.ReturnAds().Update(ctx, ad) })
	equal(t, "of a deleted one", mark(at(3)), at(3))
	expire := func(deleted time.Time) []string {
		t.Helper()
		return put(t, s, func(ctx context.Context, tx returnads.Tx) ([]string, error) {
			ad.DeletedAt = deleted
			if err := errors.Join(tx.ReturnAds().Update(ctx, ad), tx.Images().MarkUnused(ctx, ad.AdvertiserID, at(4))); err != nil {
				return nil, err
			}
			return tx.Images().Expire(ctx, at(4), 10)
		})
	}
	equal(t, "without that of an ad that is back", expire(time.Time{}), []string{"foreign"})
	equal(t, "with it", expire(at(2)), []string{"ad", "foreign"})
}
