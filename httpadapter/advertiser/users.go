package advertiser

import (
	"context"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
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

// userDetails are a creator alone. How it is paid is not kept here: the fields
// are empty.
type userDetails struct {
	user
	BankInfo         *string `json:"bank_info"`
	OwnPaymentSystem int     `json:"own_paymentsystem"`
	BusinessType     string  `json:"businessType"`
	SSNum            string  `json:"SSNum"`
	BankType         string  `json:"bankType"`
	Client           *client `json:"client"`
	Company          *string `json:"company"`
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

func showUserDetails(u affiliate.AdvertiserUser) userDetails {
	shown := userDetails{user: showUser(u.User, "{}"), BusinessType: "INDIVIDUAL", BankType: "CLEARING"}
	if u.Client.Set {
		c := showClient(u.Client.Value)
		shown.Client, shown.OwnPaymentSystem = &c, c.OwnPaymentSystem
	}
	return shown
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
	return laravel.ShowAll(page.Items, func(u affiliate.AdvertiserUser) foundEmail { return foundEmail{u.Email, u.ID} }), err
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

func (s *server) createUser(ctx context.Context, _ affiliate.Principal, in createUser) (userDetails, error) {
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
	return showUserDetails(u), nil
}

// userPath names a user of a store.
type userPath struct {
	StoreID int64 `path:"id"`
	UserID  int64 `path:"user"`
}

func (s *server) getUser(ctx context.Context, _ affiliate.Principal, in userPath) (userDetails, error) {
	u, err := s.core.AdvertiserUser(ctx, in.StoreID, in.UserID)
	if err != nil {
		return userDetails{}, err
	}
	return showUserDetails(u), nil
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
}

func (s *server) updateUser(ctx context.Context, _ affiliate.Principal, in updateUser) (userDetails, error) {
	u, err := s.core.UpdateAdvertiserUser(ctx, in.StoreID, in.UserID, func(u *affiliate.User) {
		for _, field := range []struct {
			to   *string
			sent *string
		}{
			{&u.Username, in.Username}, {&u.Profile.FirstName, in.FirstName}, {&u.Profile.Surname, in.Surname}, {&u.Profile.Country, in.Country},
			{&u.Profile.City, in.City}, {&u.Profile.Address, in.Address}, {&u.Profile.Postcode, in.Postcode},
		} {
			if field.sent != nil {
				*field.to = *field.sent
			}
		}
		if in.SocialMedia != nil {
			u.SocialMedia = accountsIn(*in.SocialMedia)
		}
	})
	if err != nil {
		return userDetails{}, err
	}
	return showUserDetails(u), nil
}

// setUserStatus needs a status: a change of nothing else can be meant.
func (s *server) setUserStatus(ctx context.Context, _ affiliate.Principal, in struct {
	userPath
	Status string `json:"status" required:"true" enum:"accepted,suspended,undecided"`
}) (userDetails, error) {
	u, err := s.core.SetAdvertiserUserStatus(ctx, in.StoreID, in.UserID, affiliate.UserStatus(in.Status))
	if err != nil {
		return userDetails{}, err
	}
	return showUserDetails(u), nil
}
