package links_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

func TestNormalizeBringsURLsToOneForm(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"already normal", "https://shop.example/a?b=c", "https://shop.example/a?b=c"},
		{"scheme and host in lower case", "HTTPS://Shop.EXAMPLE/Sale", "https://shop.example/Sale"},
		{"http stays http", "http://shop.example/", "http://shop.example/"},
		{"empty path", "https://shop.example", "https://shop.example/"},
		{"empty path before a query", "https://shop.example?a=1", "https://shop.example/?a=1"},
		{"spaces around", "  https://shop.example/ ", "https://shop.example/"},
		{"trailing dot", "https://shop.example./a", "https://shop.example/a"},
		{"default port of https", "https://shop.example:443/", "https://shop.example/"},
		{"default port of http", "http://shop.example:0080/", "http://shop.example/"},
		{"empty port", "http://shop.example:/", "http://shop.example/"},
		{"other port", "https://shop.example:08443/", "https://shop.example:8443/"},
		{"the other scheme's port", "https://shop.example:80/", "https://shop.example:80/"},
		{"user-info is not the host", "https://acme.example@evil.example/", "https://evil.example/"},
		{"user-info with password", "https://acme.example:443@evil.example/", "https://evil.example/"},
		{"user-info up to the last at sign", "https://a@acme.example@evil.example/", "https://evil.example/"},
		{"at sign in the path", "https://shop.example/@acme", "https://shop.example/@acme"},
		{"at sign in the query", "https://evil.example?@acme.example/", "https://evil.example/?@acme.example/"},
		{"international host", "https://SKÖN.example/", "https://xn--skn-tna.example/"},
		{"punycode host", "https://XN--skn-tna.example/", "https://xn--skn-tna.example/"},
		{"sharp s stays itself", "https://straße.example/", "https://xn--strae-oqa.example/"},
		{"full-width host", "https://ｓｈｏｐ．example/", "https://shop.example/"},
		{"ideographic full stops", "https://shop。example。/", "https://shop.example/"},
		{"percent-encoded host", "https://%73hop.example/", "https://shop.example/"},
		{"underscore in host", "https://my_shop.shop.example/", "https://my_shop.shop.example/"},
		{"two hyphens in host", "https://r3---sn.shop.example/", "https://r3---sn.shop.example/"},
		{"unreserved decoded in path", "https://shop.example/%41%2d%7E%5f%2Ehtml", "https://shop.example/A-~_.html"},
		{"unreserved decoded in query", "https://shop.example/?%61=%7e", "https://shop.example/?a=~"},
		{"reserved stays encoded, hex upper-case", "https://shop.example/a%2fb%3f?c%26d", "https://shop.example/a%2Fb%3F?c%26d"},
		{"encoded NUL stays encoded", "https://shop.example/%00", "https://shop.example/%00"},
		{"not decoded twice", "https://shop.example/%2541", "https://shop.example/%2541"},
		{"stray percent", "https://shop.example/100%?%zz%4", "https://shop.example/100%25?%25zz%254"},
		{"stray percent before a hidden escape", "https://shop.example/%%34%31", "https://shop.example/%2541"},
		{"non-ASCII encoded", "https://shop.example/skön?ö", "https://shop.example/sk%C3%B6n?%C3%B6"},
		{"space and quotes encoded", "https://shop.example/a b?\"<>", "https://shop.example/a%20b?%22%3C%3E"},
		{"backslash in the query", `https://shop.example/?a\b`, "https://shop.example/?a%5Cb"},
		{"brackets stay", "https://shop.example/?size[]=42", "https://shop.example/?size[]=42"},
		{"dot segments", "https://shop.example/a/./b/../c", "https://shop.example/a/c"},
		{"encoded dot segments", "https://shop.example/a/%2e%2E/%2e/c", "https://shop.example/c"},
		{"dot segments above the root", "https://shop.example/../../a", "https://shop.example/a"},
		{"dot segment at the end", "https://shop.example/a/b/..", "https://shop.example/a/"},
		{"single dot at the end", "https://shop.example/a/.", "https://shop.example/a/"},
		{"nothing left", "https://shop.example/..", "https://shop.example/"},
		{"empty segment is a segment", "https://shop.example/a//../b", "https://shop.example/a/b"},
		{"dotted names are no dot segments", "https://shop.example/.well-known/...", "https://shop.example/.well-known/..."},
		{"dot segments in the query stay", "https://shop.example/?a=/../b", "https://shop.example/?a=/../b"},
		{"query order is kept", "https://shop.example/?b=2&a=1&b=1", "https://shop.example/?b=2&a=1&b=1"},
		{"empty query is kept", "https://shop.example/?", "https://shop.example/?"},
		{"fragment dropped", "https://shop.example/a#b?c", "https://shop.example/a"},
		{"fragment before user-info", "https://shop.example#@evil.example/", "https://shop.example/"},
		{"IPv4", "https://192.0.2.1/", "https://192.0.2.1/"},
		{"IPv6", "https://[2001:DB8:0::1]:8443/", "https://[2001:db8::1]:8443/"},
		{"IPv6 default port", "https://[::1]:443/", "https://[::1]/"},
		{"single label", "http://localhost/", "http://localhost/"},
		{"longest", "https://shop.example/" + strings.Repeat("a", 2027), "https://shop.example/" + strings.Repeat("a", 2027)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := links.Normalize(tt.in)
			if err != nil || u.String() != tt.want {
				t.Fatalf("Normalize(%q)\n got %q, %v\nwant %q", tt.in, u, err, tt.want)
			}
			again, err := links.Normalize(u.String())
			if err != nil || again != u && u.Full() == u.String() {
				t.Errorf("Normalize(%q) = %+v, %v; want %+v again", u, again, err, u)
			}
		})
	}
}

func TestNormalizeRefusesAndSaysWhy(t *testing.T) {
	for _, tt := range []struct{ name, in, code string }{
		{"empty", "", "scheme"},
		{"no scheme", "shop.example/", "scheme"},
		{"protocol-relative", "//shop.example/", "scheme"},
		{"ftp", "ftp://shop.example/", "scheme"},
		{"javascript", "javascript://shop.example/%0aalert(1)", "scheme"},
		{"one slash", "https:/shop.example/", "scheme"},
		{"backslashes for slashes", `https:\\evil`, "scheme"},
		{"backslash in the authority", `https://acme.example\@evil.example/`, "backslash"},
		{"backslash in the path", `https://acme.example/a\..\b`, "backslash"},
		{"tab", "https://shop\t.example/", "control_character"},
		{"line end", "https://shop.example/\r\nSet-Cookie: a", "control_character"},
		{"line end at the end", "https://shop.example/\n", "control_character"},
		{"NUL", "https://shop.example/\x00", "control_character"},
		{"C1 control", "https://shop.example/\u0085", "control_character"},
		{"invalid UTF-8", "https://shop.example/\xff", "invalid_utf8"},
		{"no host", "https:///shop.example", "host"},
		{"only user-info", "https://acme.example@/", "host"},
		{"only a dot", "https://./", "host"},
		{"empty label", "https://shop..example/", "host"},
		{"two trailing dots", "https://shop.example../", "host"},
		{"space in host", "https://shop .example/", "host"},
		{"encoded slash in host", "https://evil.example%2f.acme.example/", "host"},
		{"encoded NUL in host", "https://acme%00.example/", "host"},
		{"hyphen first", "https://-shop.example/", "host"},
		{"label too long", "https://" + strings.Repeat("a", 64) + ".example/", "host"},
		{"host too long", "https://" + strings.Repeat("a.", 124) + "example/", "host"},
		{"broken punycode", "https://xn--a.example/", "host"},
		{"punycode of ASCII", "https://xn--shop-.example/", "host"},
		{"punycode that would not come back", "https://aℵ.example/", "host"},
		{"two colons", "https://shop.example:80:80/", "host"},
		{"IPv4 in hex", "https://0x7f.0.0.1/", "host"},
		{"IPv4 in one number", "https://2130706433/", "host"},
		{"IPv4 in octal", "https://127.0.0.010/", "host"},
		{"full-width IPv4 with a part missing", "https://１２７.1/", "host"},
		{"IPv6 zone", "https://[fe80::1%25eth0]/", "host"},
		{"IPv6 unclosed", "https://[::1/", "host"},
		{"IPv4 in brackets", "https://[192.0.2.1]/", "host"},
		{"port not a number", "https://shop.example:8a/", "port"},
		{"signed port", "https://shop.example:+80/", "port"},
		{"port zero", "https://shop.example:0/", "port"},
		{"port too big", "https://shop.example:65536/", "port"},
		{"too long", "https://shop.example/" + strings.Repeat("a", 2028), "too_long"},
		{"too long once encoded", "https://shop.example/" + strings.Repeat("ö", 400), "too_long"},
		{"too long once its fragment is encoded", "https://shop.example/#" + strings.Repeat("ö", 400), "too_long"},
		{"too long with its fragment", "https://shop.example/#" + strings.Repeat("a", 2027), "too_long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := links.Normalize(tt.in)
			var e *affiliate.Error
			if !errors.As(err, &e) {
				t.Fatalf("Normalize(%q) = %q, %v; want an error", tt.in, u, err)
			}
			if e.Kind != affiliate.ErrInvalid || e.Code != "invalid_url" || len(e.Fields) != 1 || e.Fields[0].Field != "url" || e.Fields[0].Code != tt.code {
				t.Errorf("Normalize(%q): %v, want field code %s", tt.in, e, tt.code)
			}
		})
	}
}

func TestURLGivesItsParts(t *testing.T) {
	is := is.New(t)
	u, err := links.Normalize("http://Bo@Shop.example:8080/a%20b?q=1?#Top ö")
	is.NoErr(err)
	is.Equal(u.Host(), "shop.example")
	is.Equal(u.Path(), "/a%20b")
	is.Equal(u.Query(), "q=1?")
	is.Equal(u.String(), "http://shop.example:8080/a%20b?q=1?")
	is.Equal(u.Full(), "http://shop.example:8080/a%20b?q=1?#Top%20%C3%B6")

	is.Equal(links.URL{}.String(), "")
	is.Equal(links.URL{}.Host()+links.URL{}.Path()+links.URL{}.Query(), "")
}

func TestNormalizeIsIdempotent(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"%", "%2", "%2e", "%2F", "%41", "%C3%B6", ".", "..", "/", "//", "?", "#", "@", ":", ":80", "[", "]", "::1",
		"ö", "ß", "İ", "K", "。", "xn--", "-", "_", "a", "B", "0x", "1", "example", " ", "|", "\\",
	})
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom([]string{"http://", "HTTPS://", "https://shop.example/"}).Draw(t, "head") +
			strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		checkIdempotent(t, raw)
	})
}

// checkIdempotent holds whatever Normalize accepts to its promises.
func checkIdempotent(t interface{ Fatalf(string, ...any) }, raw string) {
	u, err := links.Normalize(raw)
	if err != nil {
		return
	}
	again, err := links.Normalize(u.Full())
	if err != nil || again != u {
		t.Fatalf("Normalize(%q) = %+v\nand again %+v, %v", raw, u, again, err)
	}
	if len(u.Full()) > links.MaxURLBytes || strings.ContainsFunc(u.Full(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		t.Fatalf("Normalize(%q) = %q, want visible ASCII of at most %d bytes", raw, u.Full(), links.MaxURLBytes)
	}
}

func BenchmarkNormalize(b *testing.B) {
	for b.Loop() {
		if _, err := links.Normalize("https://www.shop.example/sale/shoes/red-1234.html?utm_source=a&size=42"); err != nil {
			b.Fatal(err)
		}
	}
}
