package bots

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// agents are the lines of a file in testdata.
func agents(tb testing.TB, name string) (list []string) {
	tb.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return list
}

func TestProgramsAreRecognised(t *testing.T) {
	programs := agents(t, "programs.txt")
	var missed []string
	for _, a := range programs {
		if !IsBot(a) {
			missed = append(missed, a)
		}
	}
	recall := float64(len(programs)-len(missed)) / float64(len(programs))
	t.Logf("recall %.1f %% of %d programs", 100*recall, len(programs))
	if len(programs) < 300 || recall < 0.98 {
		t.Errorf("recall is %.1f %% of %d, want at least 98 %% of 300; missed:\n%s", 100*recall, len(programs), strings.Join(missed, "\n"))
	}
}

func TestPeopleAreNotTakenForPrograms(t *testing.T) {
	people := agents(t, "people.txt")
	var taken []string
	for _, a := range people {
		if IsBot(a) {
			taken = append(taken, a)
		}
	}
	t.Logf("%d of %d people are taken for programs", len(taken), len(people))
	if len(people) < 300 || len(taken) > 0 {
		t.Errorf("%d of %d people (want at least 300) are taken for programs:\n%s", len(taken), len(people), strings.Join(taken, "\n"))
	}
}

// Apps and old phones that say no more than their name look like programs, and
// are known by the name of a device. Each agent here has one, without which it
// would be taken for a program.
func TestNamesOfDevicesArePeoples(t *testing.T) {
	agents := map[string]string{
		"browser":   "Obigo Browser/1.5",
		"dv(iph":    "FBAN FBDV(iPh14,5)",
		"instagram": "Instagram 278.0.0.19.115",
		"iphone":    "Vinted 24.9.1 (iPhone12,1; iOS 17)",
		"ipod":      "Flipboard (iPod9,1; iOS 15.8)",
		"ipad":      "Marktplaats (iPad13,18; iOS 17)",
		"kindle":    "Kindle/3.0",
		"maui":      "MAUI Runtime/1.0",
		"nokia":     "Nokia6230i/2.0",
		"nook":      "NOOK",
		"opera/":    "Opera/9.80",
		"roku":      "Roku4640X/9.10",
		"samsung":   "SAMSUNG-SGH-E250/1.0",
		"smarttv":   "SmartTV 2020",
		"sony":      "SonyEricssonK750i/1.0",
		"tv/":       "HbbTV/1.4.1",
		"wap":       "Alcatel WAP/2.0",
		"watch":     "Watch6,2",
		"webkit/":   "Webkit/534.30",
	}
	for _, name := range deviceNames {
		agent := agents[name]
		if IsBot(agent) {
			t.Errorf("%q of %s is taken for a program", agent, name)
		}
		if stranger := strings.ReplaceAll(strings.ToLower(agent), name, "stranger"); !IsBot(stranger) {
			t.Errorf("%q is no program either: %q shows nothing about %s", stranger, agent, name)
		}
	}
}

func TestNamedFamilies(t *testing.T) {
	const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	const chrome = "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36"
	for agent, want := range map[string]bool{
		"":                   true,
		"WhatsApp/2.23.20.0": true,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0": true,
		"Viber/12.8.0.1 CFNetwork/1121.2.2 Darwin/19.3.0":                                                 true,
		"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com": true,
		"python-requests/2.32.3": true, "okhttp/4.12.0": true, "curl/8.5.0": true, "Go-http-client/2.0": true, "Java/21.0.2": true, "libwww-perl/6.72": true,
		"anthropic-ai": true, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ChatGPT-User/1.0; +https://openai.com/bot)": true,
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Perplexity-User/1.0)": true,
		"GoogleOther": true, "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)": true,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36": true,

		safari + " Instagram 350.0.0.25.94 (iPhone14,5; iOS 18_5; en_US; en; scale=3.00; 1170x2532; 601234567)":                     false,
		chrome + " Instagram 350.0.0.25.94 Android (35/15; 420dpi; 1080x2424; Google; Pixel 9; tokay; tokay; en_US; 601234567)":     false,
		safari + " [FBAN/FBIOS;FBAV/500.0.0.42.72;FBBV/601234567;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/18.5;FBSS/3;FBLC/sv_SE]": false,
		chrome + " [FB_IAB/FB4A;FBAV/500.0.0.42.72;]":                                                  false,
		safari + " musical_ly_39.4.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/sv Region/SE": false,
		chrome + " trill_390403 BytedanceWebview/d8a21c6":                                              false,
		safari + " Snapchat/13.30.0.35 (like Safari/8621.1.15.10.7, panda)":                            false,
		safari + " [Pinterest/iOS]":                                                                    false,
		chrome + " [Pinterest/Android]":                                                                false,
		safari + " MicroMessenger/8.0.50(0x1800323d) NetType/WIFI Language/zh_CN":                      false,
		safari + " Safari Line/14.10.0":                                                                false,
		chrome + " Viber/23.0.0.5":                                                                     false,
		"Mozilla/5.0 (Linux; Android 14; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36": false,
	} {
		if got := IsBot(agent); got != want {
			t.Errorf("IsBot(%q) is %v, want %v", agent, got, want)
		}
	}
}

func TestOnlyTheBeginningOfALongAgentIsLookedAt(t *testing.T) {
	is := is.New(t)
	long := "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 " + strings.Repeat("x", maxLength)
	is.True(!IsBot(long + " Googlebot/2.1"))
}

func BenchmarkIsBot(b *testing.B) {
	people := agents(b, "people.txt")
	for i := 0; b.Loop(); i++ {
		IsBot(people[i%len(people)])
	}
}
