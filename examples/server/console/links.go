package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/offers"
)

const maxCandidates = 50 // campaigns that a link's page judges

type linksPage struct {
	Links []linkRow
	Pager pager
}

type linkRow struct {
	links.Link
	Creator, Advertiser string
}

// links lists links, the newest first (GET /console/links). With ?id= it leads
// to that link.
func (c *Console) links(ctx context.Context, r *http.Request) (any, error) {
	id, err := whole(r, "id")
	if err != nil {
		return nil, err
	}
	p, err := numbered(r, affiliate.Sort{Column: "created_at", Desc: true})
	if err != nil {
		return nil, err
	}
	f := links.LinkFilter{}
	if id > 0 {
		f.IDs = []int64{id}
	}
	list, err := c.kit.Links.LinkList(ctx, f, p)
	if err != nil {
		return nil, err
	}
	names, err := c.names(ctx, list.Items)
	if err != nil {
		return nil, err
	}
	out := linksPage{Pager: pagerFor(r, p, len(list.Items), list.Total, "links")}
	for _, l := range list.Items {
		out.Links = append(out.Links, linkRow{l, names.users[l.UserID].Username, names.advertisers[l.AdvertiserID].Name})
	}
	return out, nil
}

// names are creators and advertisers by id.
type names struct {
	users       map[int64]affiliate.User
	advertisers map[int64]affiliate.Advertiser
}

func (c *Console) names(ctx context.Context, list []links.Link) (names, error) {
	var userIDs, advertiserIDs []int64
	for _, l := range list {
		userIDs, advertiserIDs = append(userIDs, l.UserID), append(advertiserIDs, l.AdvertiserID)
	}
	return c.namesOf(ctx, userIDs, advertiserIDs)
}

func (c *Console) namesOf(ctx context.Context, userIDs, advertiserIDs []int64) (names, error) {
	users, err := c.kit.Core.UsersByID(ctx, userIDs)
	if err != nil {
		return names{}, err
	}
	advertisers, err := c.kit.Core.AdvertisersByID(ctx, advertiserIDs)
	if err != nil {
		return names{}, err
	}
	out := names{users, make(map[int64]affiliate.Advertiser, len(advertisers))}
	for _, a := range advertisers {
		out.advertisers[a.ID] = a
	}
	return out, nil
}

// linkPage is the way of a link: the rule by which its URL is the advertiser's,
// its clicks, which campaign each was charged to and why, and what was booked.
type linkPage struct {
	Link       links.Link
	Short      string
	Creator    affiliate.User
	Account    affiliate.Account
	Advertiser affiliate.Advertiser
	Rules      []links.Rule // of the link's advertiser: at most one
	Others     int          // other advertisers that have the URL now
	Judged     []judged     // what became of a click now
	More       int          // campaigns that are not shown
	Clicks     []clickRow
	Pager      pager
}

// judged is a campaign and why it would, or would not, serve a click now.
type judged struct {
	OfferID       int64
	Name          string
	Chosen        bool
	Why           string
	Earning, Cost affiliate.Money
}

type clickRow struct {
	links.Click
	Campaign string
	Terms    string // what it was priced by
	Entries  []affiliate.Entry
}

// link is the page of one link (GET /console/links/{id}).
func (c *Console) link(ctx context.Context, r *http.Request) (any, error) {
	id, err := wholeNumber("id", r.PathValue("id"))
	if err != nil {
		return nil, affiliate.NotFound("link", r.PathValue("id"))
	}
	p, err := numbered(r, affiliate.Sort{Column: "at", Desc: true})
	if err != nil {
		return nil, err
	}
	found, err := c.kit.Links.LinkList(ctx, links.LinkFilter{IDs: []int64{id}}, affiliate.PageRequest{Number: 1, Size: 1}) // deleted ones too
	if err != nil {
		return nil, err
	}
	if len(found.Items) == 0 {
		return nil, affiliate.NotFound("link", id)
	}
	l := found.Items[0]
	known, err := c.names(ctx, found.Items)
	if err != nil {
		return nil, err
	}
	out := linkPage{Link: l, Short: c.kit.Links.ShortURL(l.ID), Creator: known.users[l.UserID], Account: affiliate.UserAccount(l.UserID), Advertiser: known.advertisers[l.AdvertiserID]}
	rules, err := c.kit.Links.MatchingRules(ctx, l.TargetURL)
	if err != nil && !errors.Is(err, affiliate.ErrInvalid) { // a host that became a public suffix has no rules
		return nil, err
	}
	for _, rule := range rules {
		if rule.AdvertiserID == l.AdvertiserID {
			out.Rules = append(out.Rules, rule)
			continue
		}
		out.Others++
	}
	if err := c.judge(ctx, &out); err != nil {
		return nil, err
	}
	return out, c.clicksOf(ctx, r, p, &out)
}

// judge asks which campaign would serve a click now.
func (c *Console) judge(ctx context.Context, out *linkPage) error {
	list, err := c.kit.Offers.Explain(ctx, out.Link.AdvertiserID, out.Link.UserID, affiliate.SourceGeneral)
	if err != nil {
		return err
	}
	if len(list) > maxCandidates {
		out.More, list = len(list)-maxCandidates, list[:maxCandidates]
	}
	ids := make([]int64, len(list))
	for i, j := range list {
		ids[i] = j.OfferID
	}
	campaigns, err := c.campaignsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, j := range list {
		o := campaigns[j.OfferID]
		why := reasons[j.Reason]
		if why == "" {
			why = spaced(string(j.Reason))
		}
		if j.Chosen {
			why = "It is the first in rank that can pay the click."
		}
		out.Judged = append(out.Judged, judged{j.OfferID, o.Name, j.Chosen, why, affiliate.NewMoney(j.Earning, o.Currency), affiliate.NewMoney(j.Cost, o.Currency)})
	}
	return nil
}

// reasons are the reasons of package offers in words.
var reasons = map[offers.Reason]string{
	offers.ReasonNotTargeted:      "It is not for this creator.",
	offers.ReasonPaused:           "It is paused.",
	offers.ReasonEnded:            "Its time is over.",
	offers.ReasonMaxClicks:        "It has paid as many clicks as it may.",
	offers.ReasonBudgetLimit:      "Its budget has too little left for a click.",
	offers.ReasonSharedBudget:     "Its shared budget has too little left for a click.",
	offers.ReasonScheduled:        "It has not begun.",
	offers.ReasonCurrency:         "Its currency is not the advertiser's any more.",
	offers.ReasonNotParticipating: "The creator does not take part in it.",
	offers.ReasonClickLimit:       "The creator has used up its clicks in it.",
	offers.ReasonOutranked:        "It could pay the click, but one before it in rank does.",
}

// campaignsByID are offers by id, in one request.
func (c *Console) campaignsByID(ctx context.Context, ids []int64) (map[int64]offers.View, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := c.kit.Offers.Offers(ctx, offers.OfferFilter{IDs: ids}, affiliate.PageRequest{Number: 1, Size: len(ids)})
	if err != nil {
		return nil, err
	}
	out := make(map[int64]offers.View, len(list.Items))
	for _, v := range list.Items {
		out[v.ID] = v
	}
	return out, nil
}

// clicksOf adds a page of the link's clicks with their ledger entries.
func (c *Console) clicksOf(ctx context.Context, r *http.Request, p affiliate.PageRequest, out *linkPage) error {
	list, err := c.kit.Links.Clicks(ctx, links.ClickFilter{LinkID: out.Link.ID}, p)
	if err != nil {
		return err
	}
	out.Pager = pagerFor(r, p, len(list.Items), list.Total, "clicks")
	var causes []string
	var ids []int64
	for _, click := range list.Items {
		causes = append(causes, click.Cause())
		if click.OfferID != 0 {
			ids = append(ids, click.OfferID)
		}
	}
	entries, err := c.kit.Core.EntriesByCause(ctx, causes)
	if err != nil {
		return err
	}
	campaigns, err := c.campaignsByID(ctx, ids)
	if err != nil {
		return err
	}
	booked := make(map[string][]affiliate.Entry)
	causeOf := make(map[int64]string)
	for _, e := range entries { // by id: what is reversed comes before its reversal
		cause := cmp.Or(causeOf[e.Reverses], e.Cause)
		causeOf[e.ID] = cause
		booked[cause] = append(booked[cause], e)
	}
	for _, click := range list.Items {
		terms, err := termsOf(click)
		if err != nil {
			return err
		}
		out.Clicks = append(out.Clicks, clickRow{click, campaigns[click.OfferID].Name, terms, booked[click.Cause()]})
	}
	return nil
}

// termsOf says what a click was priced by.
func termsOf(click links.Click) (string, error) {
	t, err := offers.ParseClickTerms(click.Terms)
	if err != nil || t.Currency == "" {
		return "", err
	}
	return Amount(affiliate.NewMoney(t.CPC, t.Currency)) + " a click" + setBy(t.Origin) + drawnFrom(t.Drawn), nil
}

// setBy says who set a rate.
func setBy(o offers.Origin) string {
	switch o {
	case offers.OriginParticipant:
		return ", set by the creator's own part in the campaign"
	case offers.OriginOffer:
		return ", set by the campaign"
	case offers.OriginAdvertiser:
		return ", set by the advertiser"
	}
	return ", because nobody set a rate"
}

// drawnFrom says which budgets pay.
func drawnFrom(d offers.Drawn) string {
	switch {
	case d.SharedBudgetID != 0:
		return "; drawn from the campaign and its shared budget"
	case d.OfferID != 0:
		return "; drawn from the campaign's budget"
	}
	return ""
}
