package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/media"
)

type (
	mediaTx    = media.Tx
	mediaStore = media.Store
)

// RunMedia runs the cases of package media on Backend.Media.
func RunMedia(t *testing.T, open func(t *testing.T) Backend) {
	runAll(t, func(t *testing.T) mediaStore { return open(t).Media }, mediaScenarios())
}

func mediaScenarios() []scenario[mediaStore] {
	return slices.Concat(
		writeScenarios[mediaTx](),
		mediaTable().scenarios(),
		[]scenario[mediaStore]{
			{"media/a network's id is added once", testMediumKey},
			{"media/list", testMediaList},
		},
	)
}

func sampleMedium(n int) media.Medium {
	return media.Medium{Type: "youtube", ExternalID: fmt.Sprint("video ", n), Username: "anna", PublishedAt: at(n)}
}

func mediaTable() table[mediaTx, media.Medium] {
	type V = media.Medium
	return table[mediaTx, V]{
		name:   "media",
		sample: func(_ world, n int) V { return sampleMedium(n) },
		full: func(w world) V {
			return V{
				Type: "tiktok", ExternalID: "7245", ContentType: "video/mp4", Href: "https://media.example/7245", Username: "anna", UserID: w.users[0].ID,
				TagID: w.tags[0].ID, Group: 5, Favorite: true, Visibility: media.Undecided, PublishedAt: at(1), CreatedAt: at(2), UpdatedAt: at(3),
			}
		},
		timed:  true,
		add:    addMedium,
		fetch:  func(ctx context.Context, tx mediaTx, v V) (V, error) { return tx.Media().Get(ctx, v.ID) },
		update: func(ctx context.Context, tx mediaTx, v V) error { return tx.Media().Update(ctx, v) },
		id:     func(v *V) *int64 { return &v.ID },
		texts: []text[V]{
			{"media_id", 1, 255, func(v *V) *string { return &v.ExternalID }, false},
			{"username", 1, 255, func(v *V) *string { return &v.Username }, false},
		},
		broken: []broken[V]{
			{"media_type", "unknown_type", func(v *V) { v.Type = "vine" }},
			{"href", "invalid_url", func(v *V) { v.Href, v.ContentType = "ftp://media.example/7", "video/mp4" }},
			{"href", "nul", func(v *V) { v.Href, v.ContentType = "https://media.example/\x00", "video/mp4" }},
			{"content_type", "required", func(v *V) { v.Href = "https://media.example/7" }},
			{"content_type", "too_long", func(v *V) { v.Href, v.ContentType = "https://media.example/7", strings.Repeat("a", 128) }},
			{"show_store", "out_of_range", func(v *V) { v.Visibility = 3 }},
			{"published_at", "required", func(v *V) { v.PublishedAt = time.Time{} }},
		},
		references: []reference[V]{
			{"user_id", func(v *V, id int64) { v.UserID = id }},
			{"tag_id", func(v *V, id int64) { v.TagID = id }},
		},
	}
}

func addMedium(ctx context.Context, tx mediaTx, v media.Medium) (media.Medium, error) {
	kept, fresh, err := tx.Media().AddOrGet(ctx, v)
	if err == nil && !fresh {
		err = fmt.Errorf("%s %q is there already", v.Type, v.ExternalID)
	}
	return kept, err
}

func testMediumKey(t *testing.T, s mediaStore) {
	kept := addAll(t, s, addMedium, sampleMedium(1), sampleMedium(2))
	elsewhere := sampleMedium(1)
	elsewhere.Type = "tiktok"
	for _, there := range append(kept, addAll(t, s, addMedium, elsewhere)...) {
		again := there
		again.Username, again.TagID = "bo", nowhere
		write(t, s, func(ctx context.Context, tx mediaTx) error {
			got, fresh, err := tx.Media().AddOrGet(ctx, again)
			if err == nil {
				equal(t, "added again", got, there)
				equal(t, "fresh", fresh, false)
			}
			return err
		})
	}
	of := see(t, s, func(ctx context.Context, tx mediaTx) (affiliate.Page[media.Medium], error) {
		return tx.Media().List(ctx, media.Filter{ClientID: 1}, affiliate.PageRequest{})
	})
	equal(t, "of users, without any", of.Total, 0)
	changed := kept[1]
	changed.PublishedAt, changed.UpdatedAt = finer(at(7)), finer(at(8))
	write(t, s, func(ctx context.Context, tx mediaTx) error { return tx.Media().Update(ctx, changed) })
	changed.PublishedAt, changed.UpdatedAt = at(7), at(8)
	equal(t, "changed", see(t, s, func(ctx context.Context, tx mediaTx) (media.Medium, error) { return tx.Media().Get(ctx, changed.ID) }), changed)
	again := sampleMedium(1)
	again.ID = kept[1].ID
	refused(t, s, taken("media_id"), func(ctx context.Context, tx mediaTx) error { return tx.Media().Update(ctx, again) })
	unreadable(t, s, missing, func(ctx context.Context, tx mediaTx) error { return second(tx.Media().Get(ctx, nowhere)) })
	again.ID = nowhere
	refused(t, s, missing, func(ctx context.Context, tx mediaTx) error { return tx.Media().Update(ctx, again) })
}

func testMediaList(t *testing.T, s mediaStore) {
	type V = media.Medium
	type F = media.Filter
	clients := make([]affiliate.Client, 2)
	users := make([]affiliate.User, 2)
	w := newWorld(t, s)
	advertiser := w.advertisers[0].ID
	write(t, s, func(ctx context.Context, tx mediaTx) (err error) {
		for i := range clients {
			if clients[i], err = tx.Clients().Add(ctx, sampleClient(700+i)); err != nil {
				return err
			}
			u := sampleUser(700 + i)
			u.ClientID = clients[i].ID
			if users[i], err = tx.Users().Add(ctx, u); err != nil {
				return err
			}
		}
		return tx.Users().Relate(ctx, users[1].ID, advertiser, false)
	})
	item := func(network, id, username string, user int, change func(*V)) V {
		v := V{Type: network, ExternalID: id, Username: username, PublishedAt: at(0), CreatedAt: at(0)}
		if user >= 0 {
			v.UserID = users[user].ID
		}
		change(&v)
		return v
	}
	items := addAll(t, s, addMedium,
		item("youtube", "A", "hamida_most", 0, func(v *V) { v.Favorite, v.Group, v.PublishedAt = true, 5, at(9) }),
		item("tiktok", "B", "julia", 0, func(v *V) {
			v.Visibility, v.CreatedAt = media.Shown, at(5)
			v.Href, v.ContentType = "https://media.example/B", "image/png"
		}),
		item("instagram", "C", "Juliane%", 1, func(v *V) { v.Favorite, v.Visibility, v.PublishedAt = true, media.Undecided, at(4) }),
		item("tiktok", "D_x", "bo", -1, func(v *V) {
			v.Group, v.CreatedAt = 5, at(2)
			v.Href, v.ContentType = "https://media.example/D", "video/mp4"
		}),
		item("youtube", "E", "bo", 1, func(v *V) { v.Visibility = media.Shown }),
	)
	filters := []filterRow[F]{
		{F{Query: "JULIA"}, "B C"},
		{F{Query: "_"}, "A D_x"},
		{F{Query: "%"}, "C"},
		{F{Query: strconv.FormatInt(items[4].ID, 10)}, "E"},
		{F{Type: "tiktok"}, "B D_x"},
		{F{Type: "vine"}, ""},
		{F{Visibility: affiliate.Some(media.Hidden)}, "A D_x"},
		{F{Visibility: affiliate.Some(media.Shown)}, "B E"},
		{F{Favorite: affiliate.Some(true)}, "A C"},
		{F{Favorite: affiliate.Some(false)}, "B D_x E"},
		{F{Group: 5}, "A D_x"},
		{F{ClientID: clients[0].ID}, "A B"},
		{F{ClientID: clients[1].ID}, "C E"},
		{F{ClientID: nowhere}, ""},
		{F{Around: affiliate.Around{AdvertiserID: advertiser}}, "C E"},
		{F{Around: affiliate.Around{AdvertiserID: advertiser, ClientID: clients[0].ID}}, "A B C E"},
		{F{Around: affiliate.Around{AdvertiserID: nowhere}}, ""},
		{F{Username: "bo"}, "D_x E"},
		{F{Username: "b"}, ""},
		{F{ExternalID: "D_x"}, "D_x"},
		{F{ExternalID: "D"}, ""},
		{F{Content: "image/"}, "B"},
		{F{Content: "video/mp4"}, "D_x"},
	}
	for _, q := range unkeepable() {
		filters = append(filters, filterRow[F]{F{Query: q}, ""})
	}
	listing[mediaTx, V, F]{
		items: items,
		label: func(v V) string { return v.ExternalID },
		list: func(ctx context.Context, tx mediaTx, f F, p affiliate.PageRequest) (affiliate.Page[V], error) {
			return tx.Media().List(ctx, f, p)
		},
		filters: filters,
		modify:  []string{"First"},
		columns: map[string]func(a, b V) int{
			"published_at": func(a, b V) int { return a.PublishedAt.Compare(b.PublishedAt) },
			"created_at":   func(a, b V) int { return a.CreatedAt.Compare(b.CreatedAt) },
		},
	}.check(t, s)

	first := []int64{users[1].ID, nowhere, users[0].ID}
	for _, c := range []struct {
		want  string
		first []int64
		page  affiliate.PageRequest
	}{
		{"C E B A D_x", first, affiliate.PageRequest{Sort: affiliate.Sort{Column: "created_at", Desc: true}}},
		{"C E A B D_x", first, affiliate.PageRequest{Sort: affiliate.Sort{Column: "created_at"}}},
		{"A B", first, affiliate.PageRequest{Number: 2, Size: 2, Sort: affiliate.Sort{Column: "created_at"}}},
		{"C E A", first, affiliate.PageRequest{Size: 3, Sort: affiliate.Sort{Column: "created_at"}, Keys: &affiliate.PageKeys{}}},
		{"E C B A D_x", first, affiliate.PageRequest{Sort: affiliate.Sort{Column: "published_at"}}},
		{"C E A B D_x", first, affiliate.PageRequest{}},
		{"C E A B D_x", first, affiliate.PageRequest{Sort: affiliate.Sort{Column: "id"}}},
		{"E C B A D_x", first, affiliate.PageRequest{Sort: affiliate.Sort{Desc: true}}},
		{"E C B A D_x", first, affiliate.PageRequest{Sort: affiliate.Sort{Column: "id", Desc: true}}},
		{"A C E D_x B", nil, affiliate.PageRequest{Sort: affiliate.Sort{Column: "created_at"}}}, // as if nobody had asked before
	} {
		page := see(t, s, func(ctx context.Context, tx mediaTx) (affiliate.Page[V], error) {
			return tx.Media().List(ctx, F{First: c.first}, c.page)
		})
		var labels []string
		for _, v := range page.Items {
			labels = append(labels, v.ExternalID)
		}
		equal(t, fmt.Sprintf("media of users first, by %+v", c.page), strings.Join(labels, " "), c.want)
		equal(t, "total of all", page.Total, len(items))
	}
	unreadable(t, s, invalid("sort_by", "unknown_column"), func(ctx context.Context, tx mediaTx) error {
		return second(tx.Media().List(ctx, F{First: first}, affiliate.PageRequest{Sort: affiliate.Sort{Column: "shoe_size"}}))
	})
}
