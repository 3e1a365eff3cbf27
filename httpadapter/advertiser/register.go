package advertiser

import (
	"context"
	"errors"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/internal/idset"
	"github.com/affiliatekit/affiliatekit/links"
)

// registerStore is a new store, and who registers it.
type registerStore struct {
	User struct {
		Username     string `json:"username" min:"2" max:"64"`
		Email        string `json:"email" required:"true" max:"128"`
		Password     string `json:"password" required:"true" min:"8" max:"1024"`
		Confirmation string `json:"password_confirmation" required:"true" max:"1024"`
	} `json:"user" required:"true"`
	Name         string   `json:"feed_name" required:"true" max:"255"`
	Language     string   `json:"language_iso_code" required:"true"`
	Locale       string   `json:"locale" required:"true"`
	Currency     string   `json:"currency_iso_code" required:"true"`
	Domains      []string `json:"domains" required:"true" max:"100"`
	Categories   *[]int64 `json:"categories" required:"true" max:"100"`
	CPC          *int64   `json:"revenue_cpc" required:"true" min:"0" max:"100000"`
	InstagramCPC *int64   `json:"instagram_revenue_cpc" required:"true" min:"0" max:"100000"`
}

// registration is the input as the domain takes it.
func (in registerStore) registration() links.Registration {
	currency := affiliate.Currency(strings.TrimSpace(in.Currency))
	if known, err := affiliate.ParseCurrency(string(currency)); err == nil {
		currency = known
	}
	return links.Registration{
		Advertiser: affiliate.Advertiser{
			Name: in.Name, Language: in.Language, Country: strings.ToUpper(strings.TrimSpace(in.Locale)), Currency: currency,
			CategoryIDs: idset.Sorted(*in.Categories),
			DefaultCosts: []affiliate.Costs{
				{Source: affiliate.SourceGeneral, CPC: affiliate.Some(*in.CPC)}, {Source: affiliate.SourceInstagram, CPC: affiliate.Some(*in.InstagramCPC)},
			},
		},
		Domains: in.Domains,
	}
}

// registeredStore is a store with who registered it.
type registeredStore struct {
	store
	Users []registeredUser `json:"users"`
}

type registeredUser struct {
	user
	LastActive day              `json:"last_active"`
	Pivot      map[string]int64 `json:"pivot"`
}

// registerStore needs no principal. The password goes to the provider that the
// host signs people in with. The store's domains are unverified.
func (s *server) registerStore(ctx context.Context, p affiliate.Principal, in registerStore) (out registeredStore, err error) {
	who := identity.Registrant{Username: in.User.Username, Email: in.User.Email, Password: in.User.Password}
	registration := in.registration()
	var v affiliate.Validation
	v.Check(in.User.Password == in.User.Confirmation, "user.password", "confirmed", "must be the same as its confirmation")
	v.Merge("user", who.Validate())
	v.Merge("", inWords(registration.Validate()))
	if err := v.Err("store"); err != nil {
		return out, err
	}
	var u affiliate.User
	registration.Sign = s.people.Register(who, func(made affiliate.User) { u = made })
	a, err := s.links.For(affiliate.ViewerOf(p)).RegisterAdvertiser(ctx, registration)
	if err != nil {
		return out, inWords(err)
	}
	view, err := s.links.Shop(ctx, a.ID)
	if err != nil {
		return out, err
	}
	return registeredStore{showStore(view), []registeredUser{{user: showUser(u, ""), Pivot: map[string]int64{"store_id": a.ID, "user_id": u.ID}}}}, nil
}

// words are the names that this document has for fields of an advertiser.
var words = map[string]string{
	"name": "feed_name", "language": "language_iso_code", "country": "locale", "currency": "currency_iso_code", "category_ids": "categories",
}

// inWords gives the fields of a validation error this document's names.
func inWords(err error) error {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || !errors.Is(e, affiliate.ErrInvalid) {
		return err
	}
	var v affiliate.Validation
	for _, f := range e.Fields {
		name, rest, nested := strings.Cut(f.Field, ".")
		if known := words[name]; known != "" {
			name = known
		}
		if nested {
			name += "." + rest
		}
		v.Add(name, f.Code, f.Message)
	}
	return v.Err("store")
}
