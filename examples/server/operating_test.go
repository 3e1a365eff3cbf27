package main

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of docs/operating.md has every metric of ours, with its kind and its
// labels, and no other.
func TestTheGuideListsTheMetricsThatAreExported(t *testing.T) {
	s := start(t, "-demo")
	s.as("").call(t, http.MethodGet, "/v2/health", nil, http.StatusOK, nil)
	text := string(s.as("").call(t, http.MethodGet, "/metrics", nil, http.StatusOK, nil).body)
	want := map[string]string{} // kind and labels by metric
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (affiliatekit_\w+) (\w+)$`).FindAllStringSubmatch(text, -1) {
		var labels []string
		series := regexp.MustCompile(`(?m)^` + m[1] + `(?:_bucket)?\{([^}]*)\} `).FindStringSubmatch(text)
		if series != nil {
			for _, l := range labelName.FindAllStringSubmatch(series[1], -1) {
				if l[1] != "le" {
					labels = append(labels, l[1])
				}
			}
		}
		slices.Sort(labels)
		want[m[1]] = m[2] + " " + strings.Join(labels, " ")
	}
	guide, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(affiliatekit_\\w+)` \\| (\\w+), [^|]+ \\| ([^|]*) \\|").FindAllStringSubmatch(string(guide), -1) {
		var labels []string
		for _, l := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, l[1])
		}
		slices.Sort(labels)
		got[row[1]] = row[2] + " " + strings.Join(labels, " ")
	}
	for name, said := range want {
		if got[name] != said {
			t.Errorf("%s: the guide says %q, the server %q", name, got[name], said)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is in the guide and not exported", name)
		}
	}
}
