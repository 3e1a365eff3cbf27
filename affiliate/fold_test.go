package affiliate_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

func TestFoldIgnoresCaseAndSpelling(t *testing.T) {
	for _, tt := range []struct{ a, b string }{
		{"ÖST", "öst"}, {"O\u0308ST", "öst"}, {"ΟΔΟΣ", "οδοσ"}, {"οδος", "ΟΔΟΣ"}, {"İstanbul", "ISTANBUL"},
		{"ЖУРНАЛ", "журнал"}, {"A\u030angstro\u0308m", "ÅNGSTRÖM"}, {"DEMO5", "demo5"}, {"ẞ", "ß"},
	} {
		if affiliate.Fold(tt.a) != affiliate.Fold(tt.b) {
			t.Errorf("%q folds to %q, %q to %q", tt.a, affiliate.Fold(tt.a), tt.b, affiliate.Fold(tt.b))
		}
	}
	for _, tt := range []struct{ a, b string }{{"öst", "ost"}, {"ß", "ss"}, {"ı", "i"}, {"a", "b"}, {"\xff", "\ufffd"}} {
		if affiliate.Fold(tt.a) == affiliate.Fold(tt.b) {
			t.Errorf("%q and %q both fold to %q", tt.a, tt.b, affiliate.Fold(tt.a))
		}
	}
}

func TestFoldingTwiceIsFoldingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		if once := affiliate.Fold(s); affiliate.Fold(once) != once {
			t.Fatalf("%q folds to %q, that to %q", s, once, affiliate.Fold(once))
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add("O\u0308ST")
	f.Add("\xff\x00İ")
	f.Fuzz(func(t *testing.T, s string) {
		if once := affiliate.Fold(s); affiliate.Fold(once) != once {
			t.Fatalf("%q folds to %q, that to %q", s, once, affiliate.Fold(once))
		}
	})
}
