package advertiser

import (
	"net/http"

	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/wire"
)

// table is the document: one line for each of its routes, in its order.
func (s *server) table() []route {
	return []route{
		{"GET /stores/{id}/clients", "clients-list", wire.Call(s.listClients), needsCore},
		{"GET /stores/{id}/offers", "offers-list", wire.Call(s.listOffers), needsOffers},
		{"POST /stores/{id}/offers", "offer-create", wire.Call(s.createOffer), needsCore | needsOffers},
		{"GET /stores/{id}/offers/{offer}", "offer-get", wire.Call(s.getOffer), needsCore | needsOffers},
		{"PUT,PATCH /stores/{id}/offers/{offer}", "offer-update", wire.Call(s.updateOffer), needsCore | needsOffers},
		{"DELETE /stores/{id}/offers/{offer}", "offer-delete", wire.Call(s.deleteOffer), needsCore | needsOffers},
		{"GET /stores/{id}/offers/{offerId}/users", "offer-users-list", wire.Call(s.listOfferUsers), needsOffers},
		{"PATCH /stores/{id}/offers/{offerId}/users/{userId}/accept", "offer-user-accept", wire.Call(s.acceptOfferUser), needsOffers},
		{"PATCH /stores/{id}/offers/{offerId}/users/{userId}/deny", "offer-user-deny", wire.Call(s.denyOfferUser), needsOffers},
		{"POST /stores/{id}/user/{userId}/offer", "user-offer-add", wire.Call(s.setUserOffer), needsCore | needsOffers},
		{"POST /advertiser/stores/{id}/offers/{offerId}/upload-img", "offer-image-upload", wire.Call(s.uploadOfferImage).Files(laravel.MaxImageBytes), needsCore | needsOffers},
		{"GET /advertiser/stores/{id}/orders", "orders-list", wire.Call(s.listOrders), needsCore | needsOrders},
		{"GET /stores/{id}/clicksPerDay", "clicks-per-day", wire.Call(s.clicksPerDay), needsStats},
		{"GET /stores/{id}/generalStats", "general-stats", wire.Call(s.generalStats), needsStats},
		{"GET /stores/{id}/orders/perDate", "orders-per-date", wire.Call(s.ordersPerDate), needsStats},
		{"GET /stores/{id}/userStats", "user-stats", wire.Call(s.userStats), needsCore | needsStats},
		{"GET /stores/{id}/linkStats", "link-stats", wire.Call(s.linkStats), needsCore | needsLinks},
		{"GET /advertiser/stores/{id}/stats-config", "stats-configs-list", wire.Call(s.listStatsConfigs), needsStats},
		{"POST /advertiser/stores/{id}/stats-config", "stats-config-create", wire.Call(s.createStatsConfig), needsStats},
		{"PUT,PATCH /advertiser/stores/{id}/stats-config/{stats_config}", "stats-config-update", wire.Call(s.updateStatsConfig), needsStats},
		{"DELETE /advertiser/stores/{id}/stats-config/{stats_config}", "stats-config-delete", wire.Call(s.deleteStatsConfig), needsStats},
		{"POST /advertiser/register-store", "store-register", wire.Call(s.registerStore), needsLinks | needsIdentity},
		{"GET /advertiser/stores/{id}/users/{userid}/dashboard", "user-dashboard-get", wire.Call(s.getDashboard), needsCore | needsOrders},
		{"GET /advertiser/stores/{id}", "store-get", wire.Call(s.getStore), needsLinks},
		{"PATCH /advertiser/stores/{id}", "store-update", wire.Call(s.updateStore), needsLinks},
		{"POST /advertiser/stores/{id}/upload-logo", "store-logo-upload", wire.Call(s.uploadLogo).Files(laravel.MaxImageBytes), needsLinks | needsOffers},
		{"GET /stores/{id}/media", "store-media-list", wire.Call(s.listMedia), needsMedia | needsStats},
		{"GET /stores/{id}/instagramStorys/{username}/{image}", "store-media-object-get", wire.Call(s.getMediaObject).Sends("image/jpeg", "image/png", "video/mp4").Also(http.StatusFound), needsMedia},
		{"GET /stores/{id}/user-tags", "user-tags-list", wire.Call(s.listTags), needsCore | needsOffers},
		{"POST /stores/{id}/user/{userId}/user-tags", "user-tags-add", wire.Call(s.addTags), needsCore | needsOffers},
		{"GET /advertiser/stores/{id}/user-tag-stats", "user-tag-stats", wire.Call(s.userTagStats), needsStats},
		{"GET /advertiser/stores/{id}/users/{user}/voucher-codes", "user-voucher-codes-list", wire.Call(s.listVouchers), needsCore | needsOrders},
		{"POST /advertiser/stores/{id}/users/{user}/voucher-codes", "user-voucher-code-create", wire.Call(s.createVoucher), needsCore | needsOrders},
		{"DELETE /advertiser/stores/{id}/users/{user}/voucher-codes/{voucher_code}", "user-voucher-code-delete", wire.Call(s.deleteVoucher), needsCore | needsOrders},
		{"GET /advertiser/stores/{id}/users", "users-list", wire.Call(s.listUsers), needsCore},
		{"POST /advertiser/stores/{id}/users", "user-create", wire.Call(s.createUser), needsCore},
		{"GET /advertiser/stores/{id}/users/{user}", "user-get", wire.Call(s.getUser), needsCore},
		{"PUT,PATCH /advertiser/stores/{id}/users/{user}", "user-update", wire.Call(s.updateUser), needsCore},
		{"PATCH /advertiser/stores/{id}/users/{user}/status", "user-status-update", wire.Call(s.setUserStatus), needsCore},
		{"GET /stores/{id}/users/search", "users-emails-search", wire.Call(s.searchEmails), needsCore},
		{"POST /stores/{id}/user/{userId}/oneTimePayment", "user-one-time-payment-add", wire.Call(s.pay), needsCore | needsOrders},
	}
}
