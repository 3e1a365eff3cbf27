package links_test

import (
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

func TestTheRefererNamesTheNetworkExactly(t *testing.T) {
	for referer, want := range map[string]affiliate.TrafficSource{
		"https://www.instagram.com/":                affiliate.SourceInstagram,
		"https://l.instagram.com/?u=x":              affiliate.SourceInstagram,
		"android-app://com.instagram.android/":      affiliate.SourceInstagram,
		"https://WWW.TikTok.com./@anna":             affiliate.SourceTikTok,
		"android-app://com.zhiliaoapp.musically":    affiliate.SourceTikTok,
		"android-app://com.ss.android.ugc.trill/":   affiliate.SourceTikTok,
		"https://m.youtube.com/watch?v=1":           affiliate.SourceYouTube,
		"https://youtu.be/1":                        affiliate.SourceYouTube,
		"android-app://com.google.android.youtube/": affiliate.SourceYouTube,
		"https://lm.facebook.com/":                  affiliate.SourceFacebook,
		"android-app://com.facebook.katana/":        affiliate.SourceFacebook,
		"https://instagram.github.io/":              affiliate.SourceGeneral,
		"https://tiktok.vercel.app/":                affiliate.SourceGeneral,
		"https://instagram.com.evil.example/":       affiliate.SourceGeneral,
		"https://notinstagram.com/":                 affiliate.SourceGeneral,
		"https://instagram.de/":                     affiliate.SourceGeneral,
		"https://com.instagram.android/":            affiliate.SourceGeneral,
		"android-app://instagram.com.other/":        affiliate.SourceGeneral,
		"javascript:instagram.com":                  affiliate.SourceGeneral,
		"":                                          affiliate.SourceGeneral,
		"://":                                       affiliate.SourceGeneral,
	} {
		if got := links.SourceOf("", referer); got != want {
			t.Errorf("SourceOf(%q) is %v, want %v", referer, got, want)
		}
	}
	if got := links.SourceOf("tiktok", "https://www.instagram.com/"); got != affiliate.SourceTikTok {
		t.Errorf("src is %v, want that it goes before the Referer", got)
	}
}
