package metapic

import "github.com/affiliatekit/affiliatekit/httpadapter/internal/laravel"

func (s *server) showImage(key string) laravel.Image { return laravel.ShowImage(s.publicURL(), key) }

// publicURL is what the addresses in answers begin with; without links they are
// paths.
func (s *server) publicURL() string {
	if s.links == nil {
		return ""
	}
	return s.links.PublicURL()
}
