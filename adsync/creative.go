package adsync

import (
	"github.com/affiliatekit/affiliatekit/affiliate"
)

// MaxCreativeText bounds each text of a creative, in characters. What a service
// allows is less; it says so when an ad is synced.
const MaxCreativeText = 10_000

// Creative is what an ad shows. Which fields it has depends on its ad type; the
// others are empty.
type Creative struct {
	HeadlinePart1   string // expanded-text-ad
	HeadlinePart2   string // expanded-text-ad
	Description     string // expanded-text-ad, image_with_link
	Link            string // image_with_link, video: where a click leads
	Message         string // image_with_link, video: the text above the picture
	Picture         string // image_with_link: a URL; video: the still picture
	VideoURL        string // video
	LinkDescription string // video
	CallToAction    string // image_with_link, video: "OPEN_LINK"
	LinkCaption     string // image_with_link, video: the address that is shown
}

// CreativeField is one text of a creative.
type CreativeField struct {
	Name  string // dotted path in wire spelling: "story.link_data.message"
	IsURL bool   // must be an http or https address
	at    func(*Creative) *string
}

// Text returns the field's text in a creative.
func (f CreativeField) Text(c Creative) string { return *f.at(&c) }

// Set puts the field's text into a creative.
func (f CreativeField) Set(c *Creative, text string) { *f.at(c) = text }

// Fields returns the texts that a creative of the ad type has, all of them
// required, in the document's order.
func (t AdType) Fields() []CreativeField {
	switch t {
	case ExpandedTextAd:
		return []CreativeField{
			{"headline_part1", false, func(c *Creative) *string { return &c.HeadlinePart1 }},
			{"headline_part2", false, func(c *Creative) *string { return &c.HeadlinePart2 }},
			{"description", false, func(c *Creative) *string { return &c.Description }},
		}
	case ImageWithLink:
		return []CreativeField{
			{"story.link_data.link", true, func(c *Creative) *string { return &c.Link }},
			{"story.link_data.message", false, func(c *Creative) *string { return &c.Message }},
			{"story.link_data.picture", true, func(c *Creative) *string { return &c.Picture }},
			{"story.link_data.description", false, func(c *Creative) *string { return &c.Description }},
			{"story.link_data.call_to_action.type", false, func(c *Creative) *string { return &c.CallToAction }},
			{"story.link_data.call_to_action.value.link_caption", false, func(c *Creative) *string { return &c.LinkCaption }},
		}
	case Video:
		return []CreativeField{
			{"story.video_data.link", true, func(c *Creative) *string { return &c.Link }},
			{"story.video_data.message", false, func(c *Creative) *string { return &c.Message }},
			{"story.video_data.image_url", true, func(c *Creative) *string { return &c.Picture }},
			{"story.video_data.video_url", true, func(c *Creative) *string { return &c.VideoURL }},
			{"story.video_data.link_description", false, func(c *Creative) *string { return &c.LinkDescription }},
			{"story.video_data.call_to_action.type", false, func(c *Creative) *string { return &c.CallToAction }},
			{"story.video_data.call_to_action.value.link_caption", false, func(c *Creative) *string { return &c.LinkCaption }},
		}
	}
	return nil
}

// Of returns the creative with the fields of the ad type alone.
func (c Creative) Of(t AdType) Creative {
	var out Creative
	for _, f := range t.Fields() {
		f.Set(&out, f.Text(c))
	}
	return out
}

// validateCreative checks a creative of an ad, or, with isTemplate, of an ad
// template, whose addresses are checked when they are filled in.
func validateCreative(v *affiliate.Validation, t AdType, c Creative, isTemplate bool) {
	for _, f := range t.Fields() {
		name, text := "creative."+f.Name, f.Text(c)
		if f.IsURL && !isTemplate {
			checkURL(v, name, text, true)
		} else {
			v.Text(name, text, 1, MaxCreativeText)
		}
	}
}
