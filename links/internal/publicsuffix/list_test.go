package publicsuffix_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	theirs "golang.org/x/net/publicsuffix"

	"github.com/affiliatekit/affiliatekit/links/internal/publicsuffix"
)

// What is copied is what the version in go.mod has.
func TestTheListIsThatOfTheModule(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"table.go", "data/text", "data/nodes", "data/children"} {
		want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "publicsuffix", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is another one than that of golang.org/x/net: run make publicsuffix", name)
		}
	}
}

func FuzzDomainsAreDividedAsTheModuleDoes(f *testing.F) {
	for _, domain := range []string{
		"", ".", "com", "example.com", "www.example.com", "co.uk", "shop.co.uk", "a.b.ck", "www.ck", "city.kawasaki.jp", "x.kawasaki.jp", "github.io", "me.github.io",
		"xn--85x722f.com.cn", "192.0.2.1", "::1", "a..b", ".com", "com.", "unknown-word", "a.unknown-word", "s3.dualstack.eu-west-1.amazonaws.com",
	} {
		f.Add(domain)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		suffix, icann := publicsuffix.PublicSuffix(domain)
		if want, wantICANN := theirs.PublicSuffix(domain); suffix != want || icann != wantICANN {
			t.Errorf("%q: got %q %v, want %q %v", domain, suffix, icann, want, wantICANN)
		}
		got, err := publicsuffix.EffectiveTLDPlusOne(domain)
		if want, wantErr := theirs.EffectiveTLDPlusOne(domain); got != want || (err == nil) != (wantErr == nil) {
			t.Errorf("%q: got %q %v, want %q %v", domain, got, err, want, wantErr)
		}
	})
}
