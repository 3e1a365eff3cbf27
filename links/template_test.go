package links_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

func TestFillTemplateFillsEachPlaceholderOnce(t *testing.T) {
	const shop = "https://shop.example/a?b=c&d#e"
	for _, tt := range []struct{ name, template, target, click, want string }{
		{"default", links.DefaultTemplate, shop, "k7", shop},
		{"as it stands", "https://t.example/?u=:TARGET_URL", shop, "k7", "https://t.example/?u=" + shop},
		{"encoded", "https://t.example/?u=:TARGET_URL_ENCODED&x", shop, "k7", "https://t.example/?u=https%3A%2F%2Fshop.example%2Fa%3Fb%3Dc%26d%23e&x"},
		{"space encoded for query and path alike", "https://t.example/:TARGET_URL_ENCODED", "https://shop.example/a b+c", "", "https://t.example/https%3A%2F%2Fshop.example%2Fa%20b%2Bc"},
		{"ids", "https://t.example/:LINK_ID/:USER_ID/:CLICK_ID?:TARGET_URL", shop, "k7", "https://t.example/12/34/k7?" + shop},
		{"again", "https://t.example/:LINK_ID:LINK_ID:TARGET_URL", shop, "k7", "https://t.example/1212" + shop},
		{"no click", "https://t.example/:CLICK_ID?:TARGET_URL", shop, "", "https://t.example/?" + shop},
		{"click id escaped", "https://t.example/:CLICK_ID?:TARGET_URL", shop, "a b\r\n&", "https://t.example/a%20b%0D%0A%26?" + shop},
		{"placeholder in the shop's own URL", "https://t.example/:CLICK_ID?:TARGET_URL&:LINK_ID", "https://shop.example/:CLICK_ID/:LINK_ID", "k7", "https://t.example/k7?https://shop.example/:CLICK_ID/:LINK_ID&12"},
		{"placeholder in the shop's own URL, default", links.DefaultTemplate, "https://shop.example/:CLICK_ID/:TARGET_URL", "k7", "https://shop.example/:CLICK_ID/:TARGET_URL"},
		{"unknown placeholder", "https://t.example/:OTHER:?:TARGET_URL", shop, "k7", "https://t.example/:OTHER:?" + shop},
		{"lower case is none", "https://t.example/:link_id?:TARGET_URL", shop, "k7", "https://t.example/:link_id?" + shop},
		{"encoded twice", "https://t.example/?u=:TARGET_URL_ENCODED_TWICE", "https://shop.example/a?b", "", "https://t.example/?u=https%253A%252F%252Fshop.example%252Fa%253Fb"},
		{"without scheme", "https://t.example/?u=:TARGET_URL_SCHEMELESS_ENCODED", "https://shop.example/a?b", "", "https://t.example/?u=shop.example%2Fa%3Fb"},
		{"appended with & to a path", ":TARGET_URL&campid=1", "https://shop.example/p/1", "", "https://shop.example/p/1?campid=1"},
		{"appended with ? to a query", ":TARGET_URL?tag=x", "https://shop.example/p?a=1", "", "https://shop.example/p?a=1&tag=x"},
		{"appended before the fragment", ":TARGET_URL?tag=:USER_ID", "https://shop.example/p#top", "", "https://shop.example/p?tag=34#top"},
		{"a fragment of the template's own", ":TARGET_URL#aff=:LINK_ID", "https://shop.example/p#top", "", "https://shop.example/p#aff=12"},
		{"query and fragment appended", ":TARGET_URL&a=1#f", "https://shop.example/p?b#top", "", "https://shop.example/p?b&a=1#f"},
		{"nothing appended", ":TARGET_URL?", "https://shop.example/p#top", "", "https://shop.example/p#top"},
		{"an empty query takes it", ":TARGET_URL?a=1", "https://shop.example/p?", "", "https://shop.example/p?a=1"},
		{"the fragment goes to the end", "https://t.example/?u=:TARGET_URL&x=1", shop, "", "https://t.example/?u=https://shop.example/a?b=c&d&x=1#e"},
		{"more text stays out of the host", ":TARGET_URL.evil.example/", "https://shop.example", "", "https://shop.example/.evil.example/"},
		{"more text is not a user", ":TARGET_URL@evil.example/", " https://shop.example", "", " https://shop.example/@evil.example/"},
		{"a query ends the host", ":TARGET_URL&ref=1", "https://shop.example?a", "", "https://shop.example?a&ref=1"},
		{"no path and a query appended", ":TARGET_URL?ref=1", "https://shop.example", "", "https://shop.example/?ref=1"},
	} {
		got := links.FillTemplate(tt.template, links.TemplateValues{TargetURL: tt.target, LinkID: 12, UserID: 34, ClickID: tt.click})
		if got != tt.want {
			t.Errorf("%s: FillTemplate(%q)\n got %q\nwant %q", tt.name, tt.template, got, tt.want)
		}
	}
}

func TestValidateTemplate(t *testing.T) {
	for _, tt := range []struct{ template, code string }{
		{":TARGET_URL", ""},
		{":TARGET_URL&ref=:USER_ID", ""},
		{"https://t.example/?u=:TARGET_URL_ENCODED&c=:CLICK_ID", ""},
		{"http://t.example?:TARGET_URL", ""},
		{"https://t.example/?a=:TARGET_URL_ENCODED_TWICE&b=:TARGET_URL_SCHEMELESS_ENCODED", ""},
		{":TARGET_URL?time=12:30&x=:A", ""},
		{":TARGET_URL?c=:CLICKID", "unknown_placeholder"},
		{":TARGET_URLS", "unknown_placeholder"},
		{"https://t.example/?u=:TARGET_URL&c={click_id}", "unknown_placeholder"},
		{"https://t.example/{url}?u=:TARGET_URL", "unknown_placeholder"},
		{"https://t.example:8443/:LINK_ID/:TARGET_URL", ""},
		{"https://t.example/?:TARGET_URL" + strings.Repeat("a", 2018), ""},
		{"https://t.example/?:TARGET_URL" + strings.Repeat("a", 2019), "too_long"},
		{"", "target_missing"},
		{"https://t.example/", "target_missing"},
		{"https://t.example/:target_url", "target_missing"},
		{":TARGET_URL_ENCODED", "not_a_url"},
		{"x:TARGET_URL", "not_a_url"},
		{"javascript:alert(1)//:TARGET_URL", "not_a_url"},
		{"https://:TARGET_URL", "not_a_url"},
		{"https://t.example:TARGET_URL", "not_a_url"},
		{"https://:USER_ID.t.example/:TARGET_URL", "not_a_url"},
		{"https://t.example:LINK_ID/:TARGET_URL", "not_a_url"},
		{"https://t..example/:TARGET_URL", "not_a_url"},
		{"//t.example/:TARGET_URL", "not_a_url"},
		{"https://t.example/ :TARGET_URL", "not_a_url"},
		{`https://t.example\@evil.example/:TARGET_URL`, "not_a_url"},
		{"https://t.example/:TARGET_URL\r\nX: y", "control_character"},
		{"https://t.example/:TARGET_URL\x00", "control_character"},
		{"https://t.example/:TARGET_URL\xff", "invalid_utf8"},
	} {
		err := links.ValidateTemplate(tt.template)
		if tt.code == "" {
			if err != nil {
				t.Errorf("ValidateTemplate(%q) = %v, want nil", tt.template, err)
			}
			continue
		}
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Kind != affiliate.ErrInvalid || len(e.Fields) != 1 || e.Fields[0].Code != tt.code {
			t.Errorf("ValidateTemplate(%q) = %v, want code %s", tt.template, err, tt.code)
		}
	}
}

func TestAppendQueryLeavesTheRest(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"https://shop.example/", "https://shop.example/?k=v+1"},
		{"https://shop.example", "https://shop.example?k=v+1"},
		{"https://shop.example/?", "https://shop.example/?k=v+1"},
		{"https://shop.example/?b=%zz&a", "https://shop.example/?b=%zz&a&k=v+1"},
		{"https://shop.example/?a&", "https://shop.example/?a&k=v+1"},
		{"https://shop.example/#f?g", "https://shop.example/?k=v+1#f?g"},
		{"https://shop.example/?a#f", "https://shop.example/?a&k=v+1#f"},
	} {
		want := strings.ReplaceAll(tt.want, "+", "%20")
		if got := links.AppendQuery(tt.in, "k", "v 1"); got != want {
			t.Errorf("AppendQuery(%q) = %q, want %q", tt.in, got, want)
		}
	}
	if got := links.AppendQuery("https://shop.example/", "a&b", "c#\n"); got != "https://shop.example/?a%26b=c%23%0A" {
		t.Errorf("AppendQuery does not escape: %q", got)
	}
}

// FuzzTemplate: a template that passes, filled with any shop URL, is a web
// address of the template's host or of the shop, and fills nothing twice.
func FuzzTemplate(f *testing.F) {
	for _, template := range []string{
		links.DefaultTemplate, "https://t.example/?u=:TARGET_URL_ENCODED&c=:CLICK_ID", ":TARGET_URL@evil.example/",
		"https://:TARGET_URL", "https://t.example?:TARGET_URL:LINK_ID", ":TARGET_URL:TARGET_URL_ENCODED", "https://t.example/\r\n:TARGET_URL",
	} {
		f.Add(template, "https://shop.example/:CLICK_ID?:LINK_ID")
		f.Add(template, "http://shop.example#a b")
	}
	f.Fuzz(func(t *testing.T, template, target string) {
		u, err := links.Normalize(target)
		if err != nil || links.ValidateTemplate(template) != nil {
			return
		}
		for _, target := range []string{strings.Trim(target, " "), u.String(), u.Full()} {
			v := links.TemplateValues{TargetURL: target, LinkID: 12, UserID: 34, ClickID: "k7"}
			filled := links.FillTemplate(template, v)
			want := u.Host()
			if !strings.HasPrefix(template, ":TARGET_URL") {
				own, err := url.Parse(template[:strings.IndexAny(template[8:], "/?#")+8])
				if err != nil {
					return // net/url is stricter about hosts than we are
				}
				n, err := links.Normalize(own.Scheme + "://" + own.Host)
				if err != nil {
					return
				}
				want = n.Host()
			}
			if len(filled) > links.MaxURLBytes {
				continue
			}
			n, err := links.Normalize(filled)
			var e *affiliate.Error
			if errors.As(err, &e) && (e.Fields[0].Code == "too_long" || e.Fields[0].Code == "backslash") {
				continue // a backslash of the shop's query in the path
			}
			if err != nil || n.Host() != want {
				t.Fatalf("FillTemplate(%q, %q) = %q: host %q, want %q, %v", template, target, filled, n.Host(), want, err)
			}
			if strings.ContainsFunc(filled, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("FillTemplate(%q, %q) = %q has control characters", template, target, filled)
			}
			if template == links.DefaultTemplate && filled != target {
				t.Fatalf("the default template changed %q to %q", target, filled)
			}
		}
	})
}
