package links_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
)

func TestParseRuleURLGivesHostAndPath(t *testing.T) {
	for _, tt := range []struct{ in, host, path string }{
		{"shop.example", "shop.example", ""},
		{"shop.example/", "shop.example", ""},
		{"shop.example//", "shop.example", ""},
		{" https://Shop.Example./ ", "shop.example", ""},
		{"http://www.shop.example/sale", "www.shop.example", "/sale"},
		{"HTTP://shop.example/Sale/", "shop.example", "/Sale"},
		{"shop.example/a/../b//c", "shop.example", "/b//c"},
		{"shop.example/..", "shop.example", ""},
		{"skön.example/skön%2f%61", "xn--skn-tna.example", "/sk%C3%B6n%2Fa"},
		{"shop.example/a:b@c", "shop.example", "/a:b@c"},
		{"acme.myshopify.com", "acme.myshopify.com", ""},
		{"shop.co.uk", "shop.co.uk", ""},
	} {
		host, path, err := links.ParseRuleURL(tt.in)
		if err != nil || host != tt.host || path != tt.path {
			t.Errorf("ParseRuleURL(%q) = %q, %q, %v; want %q, %q", tt.in, host, path, err, tt.host, tt.path)
			continue
		}
		host, path, err = links.ParseRuleURL(host + path)
		if err != nil || host != tt.host || path != tt.path {
			t.Errorf("ParseRuleURL of its own answer %q = %q, %q, %v", tt.host+tt.path, host, path, err)
		}
	}
}

func TestParseRuleURLRefusesAndSaysWhy(t *testing.T) {
	for _, tt := range []struct{ in, code string }{
		{"", "required"},
		{"  ", "required"},
		{"ftp://shop.example", "scheme"},
		{"shop.example/?a=1", "query"},
		{"shop.example#a", "query"},
		{`shop.example\a`, "backslash"},
		{"shop.example/\n", "control_character"},
		{"shop.example/\x00", "control_character"},
		{"shop.example/\xff", "invalid_utf8"},
		{"bo@shop.example", "user_info"},
		{"shop.example:443", "port"},
		{"/sale", "host"},
		{"*.shop.example", "host"},
		{"shop..example", "host"},
		{"not a name", "host"},
		{"2130706433", "host"},
		{"192.0.2.1", "ip"},
		{"https://[2001:db8::1]/sale", "ip"},
		{"[::1]:80", "host"},
		{"localhost", "public_suffix"},
		{"example", "public_suffix"},
		{"com/sale", "public_suffix"},
		{"co.uk", "public_suffix"},
		{"CO.UK.", "public_suffix"},
		{"myshopify.com", "public_suffix"},
		{"github.io", "public_suffix"},
		{"anything.ck", "public_suffix"},
		{"公司.cn", "public_suffix"},
		{"shop.example/" + strings.Repeat("a", 2036), "too_long"},
		{"shop.example/" + strings.Repeat("ö", 400), "too_long"},
	} {
		host, path, err := links.ParseRuleURL(tt.in)
		var e *affiliate.Error
		if !errors.As(err, &e) {
			t.Errorf("ParseRuleURL(%q) = %q, %q, %v; want an error", tt.in, host, path, err)
			continue
		}
		if e.Kind != affiliate.ErrInvalid || len(e.Fields) != 1 || e.Fields[0].Field != "url" || e.Fields[0].Code != tt.code {
			t.Errorf("ParseRuleURL(%q): %v; want field url with code %s", tt.in, e, tt.code)
		}
	}
}

func TestRuleValidateNamesEveryField(t *testing.T) {
	is := is.New(t)
	is.NoErr(links.Rule{Type: links.RuleAllow, URL: "shop.example/sale", Keyword: strings.Repeat("ö", 255), IsMain: true}.Validate())
	is.NoErr(links.Rule{Type: links.RuleBlock, URL: "shop.example/" + strings.Repeat("a", 2035)}.Validate())

	err := links.Rule{Type: "deny", URL: "localhost", Keyword: strings.Repeat("ö", 256), IsMain: true}.Validate()
	is.True(errors.Is(err, affiliate.ErrInvalid))
	var got []string
	for _, f := range err.(*affiliate.Error).Fields {
		got = append(got, f.Field+" "+f.Code)
	}
	is.Equal(got, []string{"type invalid", "url public_suffix", "keyword too_long", "is_main not_allow"})

	for _, r := range []links.Rule{
		{Type: links.RuleBlock, URL: "shop.example", IsMain: true},
		{Type: links.RuleAllow, URL: "shop.example", Keyword: "a\x00"},
		{Type: links.RuleAllow, URL: "shop.example", Keyword: "\xff"},
	} {
		err, ok := r.Validate().(*affiliate.Error)
		is.True(ok && len(err.Fields) == 1)
		is.True(slices.Contains([]string{"is_main", "keyword"}, err.Fields[0].Field))
	}
}
