package affiliate_test

import (
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestTheZeroViewerIsTheOperator(t *testing.T) {
	is := is.New(t)
	is.True(affiliate.Viewer{}.IsOperator())
	is.True(affiliate.Viewer{}.ActsFor(7))
	is.Equal(affiliate.Viewer{}.Principal().Role, affiliate.RoleAdmin)
}

func TestAViewerIsNoMoreThanItsPrincipal(t *testing.T) {
	is := is.New(t)
	is.True(!affiliate.ViewerOf(affiliate.Principal{}).IsOperator()) // nobody
	is.True(!affiliate.ViewerOf(affiliate.Principal{}).ActsFor(7))
	p := affiliate.Principal{Role: affiliate.RoleRepresentative, AdvertiserIDs: []int64{7}}
	is.True(affiliate.ViewerOf(p).ActsFor(7))
	is.True(!affiliate.ViewerOf(p).ActsFor(8))
	is.Equal(affiliate.ViewerOf(p).Principal().Role, affiliate.RoleRepresentative)
}
