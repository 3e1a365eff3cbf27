package advertiser

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
)

// user is a creator as a store sees it.
type user struct {
	ID       int64   `json:"id"`
	Username string  `json:"username"`
	Email    string  `json:"email"`
	Phone    *string `json:"phone"`
	timestamps
	Admin           int              `json:"admin"`
	FirstName       string           `json:"first_name"`
	Surname         string           `json:"surname"`
	Country         string           `json:"country"`
	City            string           `json:"city"`
	Address         string           `json:"address"`
	Postcode        string           `json:"postcode"`
	TierPricingType string           `json:"tier_pricing_type"`
	Config          string           `json:"config"`
	SignedAgreement laravel.DateTime `json:"sign_user_agreement"` // when it was approved
	RevenueTierID   int64            `json:"revenue_tier_id"`     // 0: none
	RecruitmentUTM  *string          `json:"recruitment_utm"`
	IsSuspended     bool             `json:"is_suspended"`
	IsVerified      bool             `json:"is_verified"`
	SocialMedia     []socialMedia    `json:"social_media"`
}

// listedUser is a creator on a list.
type listedUser struct {
	user
	Tags []userTag `json:"user_tags"`
}

// userDetails are a creator alone. How it is paid is masked.
type userDetails struct {
	user
	BankInfo         *bankInfo `json:"bank_info"` // null: none is kept
	OwnPaymentSystem int       `json:"own_paymentsystem"`
	BusinessType     string    `json:"businessType"`
	SSNum            string    `json:"SSNum"`
	BankType         string    `json:"bankType"`
	VATEligibility   string    `json:"vatEligibility,omitempty"`
	VATNumber        string    `json:"vat_no,omitempty"`
	Client           *client   `json:"client"`
	Company          *company  `json:"company"` // null: none is kept
}

type bankInfo struct {
	BankName      string `json:"bank_name"`
	IBAN          string `json:"iban"`
	BIC           string `json:"bic"`
	AccountNumber string `json:"account_number"`
	BankCode      string `json:"bank_code"`
}

type company struct {
	VAT            string `json:"vat"`
	Name           string `json:"name"`
	OrganisationID string `json:"orginisation_id"`
}

// socialMedia is one account of a creator. It has no id of its own: the id is
// made of the user's and the position.
type socialMedia struct {
	ID         int64  `json:"id"`
	UserID     int64  `json:"user_id"`
	Type       string `json:"type"`
	Identifier string `json:"identifier"`
	IsValid    int    `json:"is_valid"`
	timestamps
	Followers *int64 `json:"followers"` // null: not known
}

// socialIDs is how many accounts an id leaves room for.
const socialIDs = affiliate.MaxSocialMedia

func showUser(u affiliate.User, config string) user {
	shown := user{
		ID: u.ID, Username: u.Username, Email: u.Email, Phone: laravel.TextOrNull(u.Phone), timestamps: stamps(u.CreatedAt, u.UpdatedAt),
		FirstName: u.Profile.FirstName, Surname: u.Profile.Surname, Country: u.Profile.Country, City: u.Profile.City,
		Address: u.Profile.Address, Postcode: u.Profile.Postcode, Config: config, SignedAgreement: laravel.DateTime(u.VerifiedAt),
		RevenueTierID: u.TierID, IsSuspended: !u.SuspendedAt.IsZero(), IsVerified: !u.VerifiedAt.IsZero(), SocialMedia: []socialMedia{},
	}
	for i, m := range u.SocialMedia {
		shown.SocialMedia = append(shown.SocialMedia, socialMedia{
			ID: u.ID*socialIDs + int64(i), UserID: u.ID, Type: m.Type, Identifier: m.Identifier, IsValid: 1, timestamps: shown.timestamps,
		})
	}
	return shown
}

func showListedUser(u affiliate.AdvertiserUser) listedUser {
	return listedUser{user: showUser(u.User, ""), Tags: showTagsOf(u)}
}

func showUserDetails(u payouts.AdvertiserUser) userDetails {
	shown := userDetails{user: showUser(u.User, "{}"), BusinessType: "INDIVIDUAL", BankType: "CLEARING"}
	if u.Details.Set {
		shown.paid(u.Details.Value)
	}
	if u.Client.Set {
		c := showClient(u.Client.Value)
		shown.Client, shown.OwnPaymentSystem = &c, c.OwnPaymentSystem
	}
	return shown
}

// paid shows how a user is paid.
func (shown *userDetails) paid(d payouts.PayoutDetails) {
	shown.SSNum, shown.VATEligibility, shown.VATNumber = d.NationalID, d.VATStatus, d.VATNumber
	shown.BusinessType, shown.BankType = cmp.Or(d.Business, shown.BusinessType), cmp.Or(d.BankType, shown.BankType)
	if b := (bankInfo{d.BankName, d.IBAN, d.BIC, d.Account, d.BankCode}); b != (bankInfo{}) {
		shown.BankInfo = &b
	}
	if d.Company != "" || d.CompanyID != "" {
		shown.Company = &company{VAT: d.VATNumber, Name: d.Company, OrganisationID: d.CompanyID}
	}
}

type listUsers struct {
	StoreID int64 `path:"id"`
	paging
	Query  string `query:"q" max:"255"`
	Status string `query:"status" enum:"accepted,suspended,undecided"`
}

func (s *server) listUsers(ctx context.Context, _ affiliate.Principal, in listUsers) (laravel.FlatList[listedUser], error) {
	req := in.request(pageSize)
	page, err := s.core.AdvertiserUsers(ctx, in.StoreID, affiliate.UserFilter{Query: in.Query, Status: affiliate.UserStatus(in.Status)}, req)
	return laravel.NewFlatList(in.URL, req, page, showListedUser), err
}

// foundEmail is a user in a search by e-mail.
type foundEmail struct {
	Email string `json:"email"`
	ID    int64  `json:"id"`
}

// maxEmails bounds a search by e-mail.
const maxEmails = 50

func (s *server) searchEmails(ctx context.Context, _ affiliate.Principal, in struct {
	StoreID int64  `path:"id"`
	Prefix  string `query:"q" max:"255"`
}) ([]foundEmail, error) {
	page, err := s.core.AdvertiserUsers(ctx, in.StoreID, affiliate.UserFilter{EmailPrefix: in.Prefix}, affiliate.PageRequest{Number: 1, Size: maxEmails})
	known := slices.DeleteFunc(page.Items, func(u affiliate.AdvertiserUser) bool { return u.Email == "" }) // the others are not told
	return laravel.ShowAll(known, func(u affiliate.AdvertiserUser) foundEmail { return foundEmail{u.Email, u.ID} }), err
}

// account is an account of social media in a request.
type account struct {
	Type       string `json:"type" required:"true" enum:"instagram,tiktok,youtube,facebook,blog,website"`
	Identifier string `json:"identifier" required:"true" max:"255"`
}

func accountsIn(sent []account) []affiliate.SocialMedia {
	out := make([]affiliate.SocialMedia, len(sent))
	for i, a := range sent {
		if a.Type == "blog" || a.Type == "website" { // an address: its host is what names it
			a.Identifier = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(a.Identifier)), "https://"), "http://")
		}
		out[i] = affiliate.SocialMedia{Type: a.Type, Identifier: a.Identifier}
	}
	return out
}

// maxUsername bounds the letters and digits of a new username.
const maxUsername = 24

type createUser struct {
	StoreID     int64     `path:"id"`
	Email       string    `json:"email" required:"true" max:"254"`
	Username    string    `json:"username" required:"true"`
	SocialMedia []account `json:"social_media" required:"true" max:"50"`
}

func (s *server) createUser(ctx context.Context, p affiliate.Principal, in createUser) (userDetails, error) {
	var v affiliate.Validation
	plain := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }
	v.Check(len(in.Username) <= maxUsername && strings.TrimFunc(in.Username, plain) == "", "username", "invalid_username", "must be 1 to 24 letters of A to Z and digits")
	if err := v.Err("user"); err != nil {
		return userDetails{}, err
	}
	u, err := s.core.CreateAdvertiserUser(ctx, in.StoreID, affiliate.User{Username: in.Username, Email: in.Email, SocialMedia: accountsIn(in.SocialMedia)})
	if err != nil {
		return userDetails{}, err
	}
	return s.userDetails(ctx, p, in.StoreID, u.ID)
}

// userDetails is a user with how it is paid.
func (s *server) userDetails(ctx context.Context, p affiliate.Principal, storeID, userID int64) (userDetails, error) {
	if s.payouts == nil {
		u, err := s.core.AdvertiserUser(ctx, storeID, userID)
		return orZero(showUserDetails, payouts.AdvertiserUser{AdvertiserUser: u}, err)
	}
	u, err := s.payouts.For(affiliate.ViewerOf(p)).AdvertiserUser(ctx, s.core, storeID, userID)
	return orZero(showUserDetails, u, err)
}

// userPath names a user of a store.
type userPath struct {
	StoreID int64 `path:"id"`
	UserID  int64 `path:"user"`
}

func (s *server) getUser(ctx context.Context, p affiliate.Principal, in userPath) (userDetails, error) {
	return s.userDetails(ctx, p, in.StoreID, in.UserID)
}

type updateUser struct {
	userPath
	Username    *string    `json:"username" min:"1" max:"255"`
	FirstName   *string    `json:"first_name" max:"255"`
	Surname     *string    `json:"surname" max:"255"`
	Country     *string    `json:"country" max:"255"`
	City        *string    `json:"city" max:"255"`
	Address     *string    `json:"address" max:"255"`
	Postcode    *string    `json:"postcode" max:"255"`
	SocialMedia *[]account `json:"social_media" max:"50"`
	paidHow
}

// paidHow is how a user is to be paid. What is sent may be incomplete; nothing is
// paid until it is not.
type paidHow struct {
	SSNum          *string `json:"SSNum" max:"140"`
	VATEligibility *string `json:"vatEligibility" max:"140"`
	VATNumber      *string `json:"vat_no" max:"32"`
	BankType       *string `json:"bankType" max:"140"`
	BusinessType   *string `json:"businessType" max:"140"`
	BankInfo       struct {
		BankName      *string `json:"bank_name" max:"140"`
		IBAN          *string `json:"iban" max:"64"`
		BIC           *string `json:"bic" max:"32"`
		AccountNumber *string `json:"account_number" max:"34"`
		BankCode      *string `json:"bank_code" max:"140"`
	} `json:"bank_info"`
	Company struct {
		VAT            *string `json:"vat" max:"32"`
		Name           *string `json:"name" max:"140"`
		OrganisationID *string `json:"orginisation_id" max:"140"`
	} `json:"company"`
}

// sent is one text of a request that changes a text.
type sent struct{ to, text *string }

func setAll(fields []sent) (changed bool) {
	for _, f := range fields {
		if f.text != nil {
			*f.to, changed = *f.text, true
		}
	}
	return changed
}

// apply changes how a user is paid, and reports whether anything was sent.
func (in paidHow) apply(d *payouts.PayoutDetails) bool {
	return setAll([]sent{
		{&d.NationalID, in.SSNum}, {&d.VATStatus, in.VATEligibility}, {&d.VATNumber, in.Company.VAT}, {&d.VATNumber, in.VATNumber},
		{&d.BankType, in.BankType}, {&d.Business, in.BusinessType}, {&d.BankName, in.BankInfo.BankName}, {&d.IBAN, in.BankInfo.IBAN},
		{&d.BIC, in.BankInfo.BIC}, {&d.Account, in.BankInfo.AccountNumber}, {&d.BankCode, in.BankInfo.BankCode},
		{&d.Company, in.Company.Name}, {&d.CompanyID, in.Company.OrganisationID},
	})
}

// details is the change of how a user is paid; nil when nothing was sent.
func (in updateUser) details() func(*payouts.PayoutDetails) {
	var none payouts.PayoutDetails
	if !in.apply(&none) {
		return nil
	}
	return func(d *payouts.PayoutDetails) { in.apply(d) }
}

func (in updateUser) change(u *affiliate.User) {
	setAll([]sent{
		{&u.Username, in.Username}, {&u.Profile.FirstName, in.FirstName}, {&u.Profile.Surname, in.Surname}, {&u.Profile.Country, in.Country},
		{&u.Profile.City, in.City}, {&u.Profile.Address, in.Address}, {&u.Profile.Postcode, in.Postcode},
	})
	if in.SocialMedia != nil {
		u.SocialMedia = accountsIn(*in.SocialMedia)
	}
}

func (s *server) updateUser(ctx context.Context, p affiliate.Principal, in updateUser) (userDetails, error) {
	if s.payouts == nil {
		u, err := s.core.UpdateAdvertiserUser(ctx, in.StoreID, in.UserID, in.change)
		return orZero(showUserDetails, payouts.AdvertiserUser{AdvertiserUser: u}, err)
	}
	u, err := s.payouts.For(affiliate.ViewerOf(p)).UpdateAdvertiserUser(ctx, s.core, in.StoreID, in.UserID, in.change, in.details())
	return orZero(showUserDetails, u, detailWords(err))
}

// detailFields are the names that this document has for fields of payout details.
var detailFields = map[string]string{
	"iban": "bank_info.iban", "bic": "bank_info.bic", "account": "bank_info.account_number",
}

// detailWords gives the fields of an error about payout details this document's
// names.
func detailWords(err error) error {
	e, ok := errors.AsType[*affiliate.Error](err)
	if !ok || !errors.Is(e, affiliate.ErrInvalid) || e.Resource != "payout_details" {
		return err
	}
	var v affiliate.Validation
	for _, f := range e.Fields {
		v.Add(cmp.Or(detailFields[f.Field], f.Field), f.Code, f.Message)
	}
	return v.Err("user")
}

// setUserStatus needs a status: a change of nothing else can be meant.
func (s *server) setUserStatus(ctx context.Context, p affiliate.Principal, in struct {
	userPath
	Status string `json:"status" required:"true" enum:"accepted,suspended,undecided"`
}) (userDetails, error) {
	u, err := s.core.SetAdvertiserUserStatus(ctx, in.StoreID, in.UserID, affiliate.UserStatus(in.Status))
	if err != nil {
		return userDetails{}, err
	}
	return s.userDetails(ctx, p, in.StoreID, u.ID)
}
