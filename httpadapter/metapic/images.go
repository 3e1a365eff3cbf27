package metapic

import (
	"github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"
	"github.com/affiliatekit/affiliatekit/offers"
)

func (s *server) showImage(key string, size offers.Size) laravel.Image {
	return laravel.ShowScaledImage(s.publicURL(), key, size.String())
}

// publicURL is what the addresses in answers begin with; without links they are
// paths.
func (s *server) publicURL() string {
	if s.links == nil {
		return ""
	}
	return s.links.PublicURL()
}
