package deals_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/deals"
	"github.com/affiliatekit/affiliatekit/storage/memory"
)

// The six steps of an integration: a catalog, its offers, a landing, publishing
// it, reporting deals, and knowing where customers came from.
func Example() {
	ctx := context.Background()
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	db := memory.New()
	service, err := deals.NewService(db.Deals(), deals.Options{Clock: func() time.Time { return now }})
	orFail(err)
	school, anna := uuid.UUID{1}, uuid.UUID{2} // who sells, who promotes

	// 1. Create a catalog. It is not published yet.
	catalog := deals.NewCatalog()
	catalog.Code, catalog.Title, catalog.PromoCodesAllowed, catalog.Published = "super_catalog", "SuperCatalog", true, false
	created, err := service.CreateCatalog(ctx, school, catalog)
	orFail(err)

	// 2. Attach offers to it.
	_, err = service.CreateOffer(ctx, school, deals.Offer{
		CatalogID: created.ID, Name: "Beginner", Active: true, PromoCodesAllowed: true,
		Prices: []affiliate.Money{affiliate.NewMoney(100_00, "USD")}, Terms: deals.Terms{Fixed: decimal.NewFromInt(20)},
	})
	orFail(err)

	// 3. Create a landing page for it.
	_, err = service.CreateLanding(ctx, school, deals.Landing{CatalogID: created.ID, URL: "https://school.example/"})
	orFail(err)

	// 4. Publish it: now partners see it and may ask for access.
	created, err = service.ChangeCatalog(ctx, school, created.ID, func(c *deals.Catalog) { c.Published = true })
	orFail(err)
	access, err := service.RequestAccess(ctx, created.ID, anna)
	orFail(err)
	fmt.Println("available:", created.Available(), "access:", access.Status)

	// 5. A partner gets a mark for its links and a promo code; the shop reports
	// what customers buy, first when they go to pay, then when they have paid.
	_, err = service.RegisterUID(ctx, anna, "BDGSYEHVX")
	orFail(err)
	_, err = service.IssuePromoCode(ctx, school, deals.PromoCode{CatalogID: created.ID, PartnerID: anna, Code: "ANNA"})
	orFail(err)
	purchase := deals.Posting{
		ExternalID: "order-1", Status: deals.Created, CatalogCode: "super_catalog", Offer: "Beginner",
		Cost: affiliate.NewMoney(95_00, "USD"), PromoCode: "anna", AnotherData: "subid=Product1",
	}
	_, err = service.Post(ctx, school, purchase)
	orFail(err)
	purchase.Status = deals.Paid
	deal, err := service.Post(ctx, school, purchase)
	orFail(err)

	// 6. Where did the customer come from?
	fmt.Println(deal.Status, "by", deal.Source, deal.SubIDs(), "reward", deal.Reward)

	// The hold passes, and nobody has to do anything.
	now = now.Add(deals.DefaultHold)
	deal, err = service.Deal(ctx, school, "order-1")
	orFail(err)
	fmt.Println(deal.Status, "at", deal.ApprovedAt.Format(time.DateOnly))

	// Output:
	// available: true access: granted
	// Paid by promo_code [{subid Product1}] reward 20.00 USD
	// Approved at 2026-04-17
}

func orFail(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
