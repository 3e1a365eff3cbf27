package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestTheReadmesWalkWorks sends what the README's curl lines send, in their
// order, and looks at each answer.
func TestTheReadmesWalkWorks(t *testing.T) {
	wants := []struct {
		status int
		body   string // a regular expression
	}{
		{201, `"type":"block",.*"url":"acme.example/sale"`},
		{200, `"url":"https://acme.example/shoes","convertible":true`},
		{201, `"id":1,`},
		{200, `"id":1,`},
		{422, `"code":"no_advertiser"`},
		{422, `"code":"no_advertiser"`},
		{422, `"code":"ambiguous_advertiser"`},
		{302, `^$`},
		{302, `^$`},
		{200, `(?s)affiliatekit_clicks.*verdict="duplicate"} 1\n.*verdict="valid"} 1\n.*affiliatekit_ledger`},
		{200, `organization=1`},
		{200, `^GIF89a`},
		{200, `WALK-1`},
		{200, `"promo_code":"DEMO5"`},
		{201, `"products_count":1,`},
	}
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		server := start(t, append(flags, "-demo")...)
		requests := readmeRequests(t, "http://"+server.Listening)
		is.Equal(len(requests), len(wants)) // a line was added: say what it should answer
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for i, r := range requests {
			answer, err := client.Do(r)
			is.NoErr(err)
			body, err := io.ReadAll(answer.Body)
			is.NoErr(err)
			is.NoErr(answer.Body.Close())
			if answer.StatusCode != wants[i].status || !regexp.MustCompile(wants[i].body).Match(body) {
				t.Errorf("%s %s: %d %s, want %d %s", r.Method, r.URL.Path, answer.StatusCode, body, wants[i].status, wants[i].body)
			}
		}
	})
}

var (
	shellBlock   = regexp.MustCompile("(?s)```sh\n(.*?)```")
	shellComment = regexp.MustCompile(`(?m)^#.*$`)
	assignment   = regexp.MustCompile(`(?m)^(\w+)=(.*)$`)
	curlLine     = regexp.MustCompile(`(?m)^curl .*$`)
	shellWord    = regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`)
)

// readmeRequests are the curl lines of the README, against another address.
func readmeRequests(t *testing.T, address string) (requests []*http.Request) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for _, block := range shellBlock.FindAllStringSubmatch(string(readme), -1) {
		script := strings.ReplaceAll(shellComment.ReplaceAllString(block[1], ""), "http://127.0.0.1:8080", address)
		for _, v := range assignment.FindAllStringSubmatch(script, -1) {
			variables[v[1]] = strings.Trim(v[2], "'")
		}
		expand := func(s string) string { return os.Expand(s, func(name string) string { return variables[name] }) }
		for _, line := range curlLine.FindAllString(joinQuoted(script), -1) {
			r, err := curl(line, expand)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			requests = append(requests, r)
		}
	}
	return requests
}

// joinQuoted makes one line of what is quoted over several.
func joinQuoted(script string) string {
	parts := strings.Split(script, "'")
	for i := 1; i < len(parts); i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], "\n", " ")
	}
	return strings.Join(parts, "'")
}

// curl is the request of a curl command: -H, -A, --json, -i, -s and a URL, up to a
// pipe or the end of the line.
func curl(line string, expand func(string) string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodGet, "/", http.NoBody)
	if err != nil {
		return nil, err
	}
	option := ""
	for _, m := range shellWord.FindAllStringSubmatch(line, -1)[1:] {
		word := m[1] // in single quotes, where nothing is expanded
		if word == "" {
			word = expand(m[2] + m[3])
		}
		switch {
		case word == "|":
			return r, nil
		case option == "-H":
			name, value, _ := strings.Cut(word, ": ")
			r.Header.Set(name, value)
			option = ""
		case option == "--json":
			r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(word)), int64(len(word))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json")
			option = ""
		case option == "-A":
			r.Header.Set("User-Agent", word)
			option = ""
		case word == "-H", word == "--json", word == "-A":
			option = word
		case word == "-i", word == "-s":
		case strings.HasPrefix(word, "http://"):
			if r.URL, err = r.URL.Parse(word); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("do not know %s", strconv.Quote(word))
		}
	}
	return r, nil
}
