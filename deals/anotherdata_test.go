package deals_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/deals"
)

func TestAnotherData(t *testing.T) {
	type sub = deals.SubID
	for _, c := range []struct {
		in   string
		uids []string
		subs []deals.SubID
	}{
		{"", nil, nil},
		{"myshare=BDGSYEHVX", []string{"BDGSYEHVX"}, nil},
		{"uid=JU8KDCYF&subid=Product1", []string{"JU8KDCYF"}, []sub{{"subid", "Product1"}}},
		{"?uid=A&x=1&myshare=B&x=2", []string{"A", "B"}, []sub{{"x", "1"}, {"x", "2"}}},
		{"uid=&myshare", nil, nil},
		{"UID=a&Myshare=b", nil, []sub{{"UID", "a"}, {"Myshare", "b"}}},
		{"uid=a%20b+c&%75id=d", []string{"a b c", "d"}, nil},
		{"uid=%zz&k=%00&n=%ff&&=v", []string{"%zz"}, []sub{{"k", "%00"}, {"n", "%ff"}, {"", "v"}}},
		{"a=b=c&d", nil, []sub{{"a", "b=c"}, {"d", ""}}},
		{strings.Repeat("a=1&", 64) + "uid=late", nil, []sub(nil)},
	} {
		is := is.New(t)
		got := deals.ParseAnotherData(c.in)
		is.Equal(got.UIDs, c.uids)
		if strings.Contains(c.in, "late") {
			is.Equal(len(got.SubIDs), 64) // the rest is left alone
			continue
		}
		is.Equal(got.SubIDs, c.subs)
		is.Equal(deals.Deal{AnotherData: c.in}.SubIDs(), c.subs)
	}
}

func FuzzAnotherData(f *testing.F) {
	for _, s := range []string{"myshare=BDGSYEHVX", "uid=JU8KDCYF&subid=Product1", "?uid=%zz&%00=\x00", strings.Repeat("&", 3000), "uid=%C3%28"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := deals.ParseAnotherData(s)
		if n := len(got.UIDs) + len(got.SubIDs); n > 64 {
			t.Fatalf("%d pairs", n)
		}
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			return // refused before it comes here
		}
		for _, uid := range got.UIDs {
			if uid == "" || !utf8.ValidString(uid) || strings.Contains(uid, "\x00") {
				t.Fatalf("%q: uid %q", s, uid)
			}
		}
		for _, sub := range got.SubIDs {
			if sub.Key == "uid" || sub.Key == "myshare" || !utf8.ValidString(sub.Value) || strings.Contains(sub.Key+sub.Value, "\x00") {
				t.Fatalf("%q: sub id %q", s, sub)
			}
		}
	})
}
