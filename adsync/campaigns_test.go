package adsync_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestEveryMoveBetweenStates(t *testing.T) {
	allowed := map[adsync.State]string{"": "active paused", adsync.Active: "active paused removed", adsync.Paused: "active paused removed", adsync.Removed: ""}
	for from, want := range allowed {
		got := ""
		for _, to := range append(adsync.States(), "", "archived") {
			if from.CanBecome(to) {
				if got != "" {
					got += " "
				}
				got += string(to)
			}
		}
		if got != want {
			t.Errorf("from %q: got %q, want %q", from, got, want)
		}
	}
}

func TestRemovingAParentRemovesWhatIsInIt(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		named := campaignAt("1234567890")
		named.ReferenceID = adsync.Sent("mine")
		c := kept(w.acme.SaveCampaign(ctx, named))(t)
		inSet := adSetIn(c)
		inSet.ReferenceID = adsync.Sent("mine")
		s := kept(w.acme.SaveAdSet(ctx, inSet))(t)
		var last adsync.Ad
		for n := range 3 {
			in := textAd(s)
			in.ReferenceID = adsync.Sent(fmt.Sprint("ad ", n))
			last = kept(w.acme.SaveAd(ctx, in))(t)
		}
		_, otherSet, otherAd := w.tree()
		w.pass(time.Minute)
		removed := must(w.acme.UpdateCampaign(ctx, "mine", adsync.CampaignInput{State: adsync.Sent(adsync.Removed)}))(t)
		is.Equal(removed.RemovedAt, start.Add(time.Minute))
		isGone := func(err error) {
			t.Helper()
			is.True(errors.Is(err, affiliate.ErrState))
			is.Equal(problem(err), adsync.CodeRemoved)
		}
		isGone(second(w.acme.Campaign(ctx, c.ID.String())))
		isGone(second(w.acme.AdSet(ctx, s.ID.String())))
		isGone(second(w.acme.Ad(ctx, last.ID.String())))
		isGone(second(w.acme.UpdateCampaign(ctx, c.ID.String(), adsync.CampaignInput{State: adsync.Sent(adsync.Active)})))
		isGone(second(w.acme.AdSetsOf(ctx, c.ID.String(), adsync.AdSetFilter{}, adsync.PageRequest{})))
		_, _, err := w.acme.SaveAd(ctx, adsync.AdInput{ID: last.ID.String()})
		isGone(err)
		is.True(errors.Is(second(w.bolt.Campaign(ctx, c.ID.String())), affiliate.ErrNotFound)) // it is not told that it was there
		is.True(errors.Is(second(w.acme.Campaign(ctx, "mine")), affiliate.ErrNotFound))
		_, _, err = w.acme.SaveAdSet(ctx, adSetIn(c))
		is.Equal(problem(err), "validation_failed; campaign removed")
		is.Equal(len(must(w.acme.Campaigns(ctx, adsync.CampaignFilter{}, adsync.PageRequest{}))(t).Items), 1)
		is.Equal(must(w.acme.AdSets(ctx, adsync.AdSetFilter{}, adsync.PageRequest{}))(t).Items[0].ID, otherSet.ID)
		is.Equal(must(w.acme.Ads(ctx, adsync.AdFilter{}, adsync.PageRequest{}))(t).Items[0].ID, otherAd.ID)

		// Their reference ids are free.
		heir, created, err := w.acme.SaveCampaign(ctx, named)
		is.NoErr(err)
		is.True(created)
		is.True(heir.ID != c.ID)
		_, created, err = w.acme.SaveAdSet(ctx, func() adsync.AdSetInput { in := adSetIn(heir); in.ReferenceID = adsync.Sent("mine"); return in }())
		is.NoErr(err)
		is.True(created)
	})
}

func TestACampaignIsOfItsAdAccountsService(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		save := func(in adsync.CampaignInput) string { _, _, err := w.acme.SaveCampaign(ctx, in); return problem(err) }
		wrong := campaignAt("act_1")
		wrong.Service = adsync.Sent(adsync.GoogleAds)
		is.Equal(save(wrong), "validation_failed; service service_mismatch")
		is.Equal(save(adsync.CampaignInput{}), "validation_failed; ad_account required; service required; state required")
		is.Equal(save(adsync.CampaignInput{AdAccount: "act_404", State: adsync.Sent(adsync.State("on")), Service: adsync.Sent(adsync.AdService("x"))}),
			"validation_failed; ad_account unknown_reference; service invalid; state invalid")
		removed := campaignAt("act_1")
		removed.State = adsync.Sent(adsync.Removed)
		is.Equal(save(removed), "validation_failed; state illegal_transition")

		c := kept(w.acme.SaveCampaign(ctx, campaignAt("act_1")))(t)
		update := func(in adsync.CampaignInput) string {
			_, err := w.acme.UpdateCampaign(ctx, c.ID.String(), in)
			return problem(err)
		}
		is.Equal(update(adsync.CampaignInput{Service: adsync.Sent(adsync.GoogleAds), AdAccount: "1234567890"}), "validation_failed; ad_account fixed; service fixed")
		is.Equal(update(adsync.CampaignInput{Service: adsync.Sent(adsync.FacebookAds), AdAccount: "act_1", Title: adsync.Sent("same")}), "<nil>")
		is.Equal(update(adsync.CampaignInput{State: adsync.Null[adsync.State]()}), "validation_failed; state required")
		is.Equal(must(w.acme.Campaign(ctx, c.ID.String()))(t).Title, "same")

		is.NoErr(w.operator.ForAccount("acme").DisconnectAdAccount(ctx, "act_1"))
		is.True(errors.Is(w.operator.ForAccount("acme").DisconnectAdAccount(ctx, "act_1"), affiliate.ErrNotFound))
		is.Equal(save(campaignAt("act_1")), "validation_failed; ad_account unknown_reference")
		is.Equal(must(w.acme.Campaign(ctx, c.ID.String()))(t).Title, "same") // it stays
		is.True(errors.Is(second(w.acme.Campaigns(ctx, adsync.CampaignFilter{AdAccountID: "act_1"}, adsync.PageRequest{})), affiliate.ErrNotFound))
		is.Equal(len(must(w.acme.AdAccounts(ctx, adsync.AdAccountFilter{}, adsync.PageRequest{}))(t).Items), 1)
		before := w.jobs("acme")
		w.connect("acme", adsync.AdAccountInput{ID: "act_1", Name: "Social"})
		is.Equal(before+" "+w.jobs("acme"), "campaign v2 campaign v3") // queued again
		is.Equal(len(must(w.acme.Campaigns(ctx, adsync.CampaignFilter{AdAccountID: "act_1"}, adsync.PageRequest{}))(t).Items), 1)
		_, err := w.operator.ForAccount("acme").ConnectAdAccount(ctx, adsync.AdAccountInput{ID: "acme"})
		is.Equal(problem(err), "validation_failed; id invalid")
	})
}

func TestAParentNeverChanges(t *testing.T) {
	eachBackend(t, func(t *testing.T, w *world) {
		is := is.New(t)
		ctx := t.Context()
		c, s, a := w.tree()
		otherC, otherS, _ := w.tree()
		_, err := w.acme.UpdateAdSet(ctx, s.ID.String(), adsync.AdSetInput{Campaign: otherC.ID.String()})
		is.Equal(problem(err), "validation_failed; campaign fixed")
		_, err = w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{AdSet: otherS.ID.String()})
		is.Equal(problem(err), "validation_failed; ad_set fixed")
		_, err = w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{AdSet: uuid.NewString()})
		is.Equal(problem(err), "validation_failed; ad_set unknown_reference")
		must(w.acme.UpdateAdSet(ctx, s.ID.String(), adsync.AdSetInput{Campaign: c.ID.String()}))(t)
		must(w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{AdSet: s.ID.String()}))(t)
		_, _, err = w.acme.SaveAdSet(ctx, adsync.AdSetInput{})
		is.Equal(problem(err), "validation_failed; bids required; campaign required; service_configurations required; state required")
		_, _, err = w.acme.SaveAd(ctx, adsync.AdInput{})
		is.Equal(problem(err), "validation_failed; ad_set required; ad_type required; creative required; destination_url required; state required")
		// A creative is replaced as a whole, and fits the ad type.
		_, err = w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{Creative: adsync.Sent(adsync.Creative{HeadlinePart1: "new"})})
		is.Equal(problem(err), "validation_failed; creative.description required; creative.headline_part2 required")
		_, err = w.acme.UpdateAd(ctx, a.ID.String(), adsync.AdInput{Type: adsync.Sent(adsync.ImageWithLink)})
		is.Equal(problem(err), "validation_failed; creative.story.link_data.call_to_action.type required; creative.story.link_data.call_to_action.value.link_caption required; "+
			"creative.story.link_data.link required; creative.story.link_data.message required; creative.story.link_data.picture required")
	})
}
