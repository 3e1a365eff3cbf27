package affiliate

import (
	"testing"

	"github.com/matryer/is"
)

func TestTheZeroViewerIsTheOperator(t *testing.T) {
	is := is.New(t)
	is.True(Viewer{}.IsOperator())
	is.True(Viewer{}.ActsFor(7))
	is.Equal(Viewer{}.Principal().Role, RoleAdmin)
}

func TestAViewerIsNoMoreThanItsPrincipal(t *testing.T) {
	is := is.New(t)
	is.True(!ViewerOf(Principal{}).IsOperator()) // nobody
	is.True(!ViewerOf(Principal{}).ActsFor(7))
	p := Principal{Role: RoleRepresentative, AdvertiserIDs: []int64{7}}
	is.True(ViewerOf(p).ActsFor(7))
	is.True(!ViewerOf(p).ActsFor(8))
	is.Equal(ViewerOf(p).Principal().Role, RoleRepresentative)
}
