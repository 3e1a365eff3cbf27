package affiliatekit

import (
	"context"
	"errors"
	"slices"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/identity"
	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
	"github.com/affiliatekit/affiliatekit/offers"
)

// Erased says what is kept of a person who was erased, and why.
type Erased struct {
	// Invoices must be kept by law until the times that they name. What they say
	// of the seller is sealed, and goes by Payouts.PurgeInvoices.
	Invoices []payouts.KeptInvoice
}

// personTx is the transaction of a unit that erases a person: that of payouts, or of
// identity where the backend keeps no payouts.
type personTx interface {
	offers.Tx
	identity.Tx
}

// ErasePerson takes a creator out of everything that is kept, in one unit: name,
// address, phone number, accounts of social media, bank data, access tokens, the
// account of the OpenID provider, authorship of comments, what campaigns aim at,
// and files of media. The user stays under affiliate.ErasedName, banned, so that
// the ledger, payments and statistics keep their sums; what an advertiser wrote
// in free text stays too. Doing it again changes nothing. It is the operator's to
// do: nobody else is asked for.
//
// The files are deleted before the unit, so that none is left when the unit was
// done.
func (k *Kit) ErasePerson(ctx context.Context, userID int64) (Erased, error) {
	u, err := k.Core.User(ctx, userID)
	if err != nil {
		return Erased{}, err
	}
	if k.Media != nil {
		handles, err := affiliate.Read(ctx, k.identity, func(ctx context.Context, tx identity.Tx) ([]string, error) { return ownHandles(ctx, tx, u) })
		if err != nil {
			return Erased{}, err
		}
		if err := k.Media.EraseFiles(ctx, userID, handles); err != nil {
			return Erased{}, err
		}
	}
	if k.Payouts == nil {
		return Erased{}, k.identity.Write(ctx, func(ctx context.Context, tx identity.Tx) error { return k.erase(ctx, tx, userID) })
	}
	err = k.payouts.Write(ctx, func(ctx context.Context, tx payouts.Tx) error {
		if err := k.erase(ctx, tx, userID); err != nil {
			return err
		}
		return payouts.EraseUser(ctx, tx, userID)
	})
	if err != nil {
		return Erased{}, err
	}
	kept, err := k.Payouts.Erase(ctx, userID)
	return Erased{Invoices: kept}, err
}

func (k *Kit) erase(ctx context.Context, unit affiliate.Tx, userID int64) error {
	tx, ok := unit.(personTx)
	if !ok {
		return errors.New("affiliatekit: the backend's transaction of payouts or identity lacks the repositories of offers or identity")
	}
	before, err := k.Core.EraseUser(ctx, tx, userID)
	if err != nil {
		return err
	}
	p := identity.Person{UserID: userID, Email: before.Email}
	if p.Handles, err = ownHandles(ctx, tx, before); err != nil {
		return err
	}
	if err := eraseExpected(ctx, tx, p); err != nil {
		return err
	}
	return tx.Persons().Remove(ctx, p)
}

// handlesOf are the handles of a user: ascending, each once.
func handlesOf(u affiliate.User) []string {
	var handles []string
	for _, m := range u.SocialMedia {
		handles = append(handles, m.Identifier)
	}
	slices.Sort(handles)
	return slices.Compact(handles)
}

// ownHandles are the handles of a user that no other user has on any network.
func ownHandles(ctx context.Context, tx affiliate.Tx, u affiliate.User) ([]string, error) {
	handles := handlesOf(u)
	if len(handles) == 0 {
		return nil, nil
	}
	users, err := tx.Users().BySocialMedia(ctx, handles)
	if err != nil {
		return nil, err
	}
	for _, other := range users {
		if other.ID == u.ID {
			continue
		}
		for _, m := range other.SocialMedia {
			handles = slices.DeleteFunc(handles, func(h string) bool { return h == m.Identifier })
		}
	}
	return handles, nil
}

// eraseExpected takes out what waits in campaigns for somebody with the person's
// address or handles.
func eraseExpected(ctx context.Context, tx offers.Tx, p identity.Person) error {
	var emails []string
	if p.Email != "" {
		emails = []string{p.Email}
	}
	if len(emails) == 0 && len(p.Handles) == 0 {
		return nil
	}
	expected, err := tx.Participants().PreRegistered(ctx, emails, p.Handles)
	if err != nil {
		return err
	}
	for _, waiting := range expected {
		if err := tx.Participants().Delete(ctx, waiting.ID); err != nil {
			return err
		}
	}
	return nil
}
