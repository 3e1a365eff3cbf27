package media

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// AdvertiserFilter chooses media that an advertiser sees.
type AdvertiserFilter struct {
	Images   bool    // pictures only
	Type     string  // of this network
	Username string  // of this creator, as the network spells it
	First    []int64 // media of these users first, in this order; at most 100,000, each once
}

// AtAdvertiser lists the media that an advertiser sees: shown ones of creators
// who work with it or are of its client, the newest first (store-media-list).
// ErrNotFound unless the viewer acts for the advertiser.
func (s *Service) AtAdvertiser(ctx context.Context, advertiserID int64, f AdvertiserFilter, p affiliate.PageRequest) (affiliate.Page[Medium], error) {
	filter := Filter{Type: f.Type, Username: affiliate.NormalizeHandle(f.Username), First: f.First}
	if f.Images {
		filter.Content = "image/"
	}
	p.Sort = affiliate.Sort{Column: "created_at", Desc: true}
	return s.shown(ctx, advertiserID, filter, p)
}

// shown lists media that an advertiser sees.
func (s *Service) shown(ctx context.Context, advertiserID int64, f Filter, p affiliate.PageRequest) (affiliate.Page[Medium], error) {
	if !s.viewer.ActsFor(advertiserID) {
		return affiliate.Page[Medium]{}, affiliate.NotFound("advertiser", advertiserID)
	}
	return affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (out affiliate.Page[Medium], err error) {
		f := f
		if f.Around, err = affiliate.AroundAdvertiser(ctx, tx, advertiserID); err != nil {
			return out, err
		}
		f.Visibility = affiliate.Some(Shown)
		return tx.Media().List(ctx, f, p)
	})
}

// contentTypes are the types of files, by the ending of their names.
var contentTypes = map[string]string{".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4"}

// FileName is the name that the medium's file has, such as "99.jpg"; empty when
// the medium has no file or one of another type.
func (m Medium) FileName() string {
	for ending, contentType := range contentTypes {
		if m.ContentType == contentType {
			return m.ExternalID + ending
		}
	}
	return ""
}

// File is a file of a medium: its content, or where the network has it.
type File struct {
	ContentType string
	Content     []byte // nil: not kept here
	Href        string // where it is, when it is not kept here
}

// SetFile keeps the file of a medium in Options.Blobs. The content must be of the
// medium's content type, as its first bytes tell. It needs Blobs: else
// ErrUnavailable "not_configured".
func (s *Service) SetFile(ctx context.Context, id int64, content []byte) error {
	if !s.viewer.IsOperator() {
		return affiliate.NotFound("medium", id)
	}
	if s.blobs == nil {
		return &affiliate.Error{Kind: affiliate.ErrUnavailable, Code: "not_configured", Resource: "medium", Message: "The service keeps no files: it has no Blobs."}
	}
	m, err := affiliate.Read(ctx, s.store, func(ctx context.Context, tx Tx) (Medium, error) { return tx.Media().Get(ctx, id) })
	if err != nil {
		return err
	}
	if found := sniff(content); found == "" || found != m.ContentType {
		return affiliate.Invalid("medium", affiliate.FieldError{Field: "content", Code: "wrong_content", Message: "must be a JPEG, PNG or MP4 file, as the content type of the medium says"})
	}
	return s.blobs.Put(ctx, blobKey(id), content)
}

// FileAt returns the file of a medium that an advertiser sees, by the name of its
// creator and the name that FileName returns (store-media-object-get).
func (s *Service) FileAt(ctx context.Context, advertiserID int64, username, name string) (File, error) {
	ending := path.Ext(name)
	f := Filter{Username: affiliate.NormalizeHandle(username), ExternalID: strings.TrimSuffix(name, ending)}
	page, err := s.shown(ctx, advertiserID, f, affiliate.PageRequest{Number: 1, Size: affiliate.MaxPageSize})
	if err != nil {
		return File{}, err
	}
	for _, m := range page.Items { // one for each network at most
		if m.FileName() != name || f.Username == "" || f.ExternalID == "" {
			continue
		}
		file := File{ContentType: m.ContentType, Href: m.Href}
		if s.blobs == nil {
			return file, nil
		}
		file.Content, err = s.blobs.Get(ctx, blobKey(m.ID))
		if errors.Is(err, affiliate.ErrNotFound) {
			err = nil
		}
		return file, err
	}
	return File{}, affiliate.NotFound("medium", name)
}

func blobKey(id int64) string { return "medium-" + strconv.FormatInt(id, 10) }

// sniff returns the content type of a file by its first bytes, or "".
func sniff(b []byte) string {
	switch {
	case len(b) > 3 && string(b[:3]) == "\xff\xd8\xff":
		return "image/jpeg"
	case len(b) > 8 && string(b[:8]) == "\x89PNG\r\n\x1a\n":
		return "image/png"
	case len(b) > 12 && string(b[4:8]) == "ftyp":
		return "video/mp4"
	}
	return ""
}
