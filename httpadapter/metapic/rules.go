package metapic

import (
	"context"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
	"github.com/affiliatekit/affiliatekit/links"
)

type urlRule struct {
	ID        int64             `json:"id"`
	Type      string            `json:"type"`
	IsMain    bool              `json:"is_main"`
	URL       string            `json:"url"`
	Keyword   *string           `json:"keyword"`
	UpdatedAt laravel.Timestamp `json:"updated_at"`
	// Both are there as long as nobody has proven the domain.
	Unverified bool       `json:"unverified,omitempty"`
	Proof      *ruleProof `json:"verification,omitempty"`
}

// ruleProof says what proves a rule's domain: the text, in either place.
type ruleProof struct {
	DNSName string `json:"dns_name"` // of a TXT record
	FileURL string `json:"file_url"` // of a file with a line of it
	Text    string `json:"text"`
}

func showRule(r links.Rule) urlRule {
	shown := urlRule{ID: r.ID, Type: string(r.Type), IsMain: r.IsMain, URL: r.URL, UpdatedAt: laravel.Timestamp(r.UpdatedAt)}
	if r.Keyword != "" {
		shown.Keyword = &r.Keyword
	}
	if p, needed := r.Proof(); needed {
		shown.Unverified, shown.Proof = true, &ruleProof{DNSName: p.DNSName(), FileURL: p.FileURL(), Text: p.Text()}
	}
	return shown
}

func (s *server) listRules(ctx context.Context, _ affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
}) ([]urlRule, error) {
	rules, err := s.links.Rules(ctx, in.AdvertiserID)
	return laravel.ShowAll(rules, showRule), err
}

// addRule has no bounds of its own: the domain names all that is wrong at once.
type addRule struct {
	AdvertiserID int64  `path:"advertiser_id"`
	Type         string `json:"type"`
	URL          string `json:"url"`
	Keyword      string `json:"keyword"`
	IsMain       bool   `json:"is_main"`
}

func (s *server) addRule(ctx context.Context, _ affiliate.Principal, in addRule) (urlRule, error) {
	r, err := s.links.AddRule(ctx, in.AdvertiserID, links.RuleInput{
		Type: links.RuleType(in.Type), URL: in.URL, Keyword: in.Keyword, IsMain: in.IsMain,
	})
	return showRule(r), err
}

// updateRule changes what is sent, for PUT as for PATCH. A keyword of null is
// taken away; null elsewhere is as if it had not been sent.
type updateRule struct {
	AdvertiserID int64                 `path:"advertiser_id"`
	RuleID       int64                 `path:"urlMatchingRule_id"`
	Type         *string               `json:"type"`
	URL          *string               `json:"url"`
	Keyword      wire.Optional[string] `json:"keyword"`
	IsMain       *bool                 `json:"is_main"`
}

func (s *server) updateRule(ctx context.Context, _ affiliate.Principal, in updateRule) (urlRule, error) {
	r, err := s.links.ChangeRule(ctx, in.AdvertiserID, in.RuleID, func(r *links.RuleInput) {
		if in.Type != nil {
			r.Type = links.RuleType(*in.Type)
		}
		if in.URL != nil {
			r.URL = *in.URL
		}
		if in.Keyword.Set {
			r.Keyword = in.Keyword.Value // "" for null
		}
		if in.IsMain != nil {
			r.IsMain = *in.IsMain
		}
	})
	return showRule(r), err
}

func (s *server) removeRule(ctx context.Context, _ affiliate.Principal, in struct {
	AdvertiserID int64 `path:"advertiser_id"`
	RuleID       int64 `path:"urlMatchingRule_id"`
}) (wire.None, error) {
	return wire.None{}, s.links.DeleteRule(ctx, in.AdvertiserID, in.RuleID)
}
