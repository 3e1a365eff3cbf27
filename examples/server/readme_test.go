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
// order, and holds each answer to the line that shows it.
func TestTheReadmesWalkWorks(t *testing.T) {
	onEachBackend(t, func(t *testing.T, flags ...string) {
		is := is.New(t)
		server := start(t, append(flags, "-demo")...)
		requests, shown := readmeWalk(t, "http://"+server.Listening)
		is.Equal(len(requests), len(shown))
		is.True(len(requests) > 10)
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for i, r := range requests {
			answer, err := client.Do(r)
			is.NoErr(err)
			body, err := io.ReadAll(answer.Body)
			is.NoErr(err)
			is.NoErr(answer.Body.Close())
			got := fmt.Sprintf("%d Location: %s\n%s", answer.StatusCode, answer.Header.Get("Location"), body)
			if !shows(shown[i], got) {
				t.Errorf("%s %s: got %s, want %s", r.Method, r.URL.Path, got, shown[i])
			}
		}
		for _, page := range regexp.MustCompile(`<(http://127\.0\.0\.1:8080/console/[^>]*)>`).FindAllStringSubmatch(readme(t), -1) {
			answer, err := client.Get(strings.Replace(page[1], "http://127.0.0.1:8080", "http://"+server.Listening, 1))
			is.NoErr(err)
			is.NoErr(answer.Body.Close())
			is.Equal(answer.StatusCode, http.StatusOK)
		}
	})
}

// shows reports whether an answer has the pieces of a line, which "…" stands
// between, in their order.
func shows(line, answer string) bool {
	status, rest, _ := strings.Cut(line, " ")
	answer, ok := strings.CutPrefix(answer, status+" ")
	for piece := range strings.SplitSeq(rest, "…") {
		_, after, found := strings.Cut(answer, piece)
		if ok = ok && found; !ok {
			return false
		}
		answer = after
	}
	return ok
}

var (
	shellBlock   = regexp.MustCompile("(?s)```sh\n(.*?)```")
	textBlock    = regexp.MustCompile("(?s)```text\n(\\d{3} .*?)```")
	shellComment = regexp.MustCompile(`(?m)^#.*$`)
	assignment   = regexp.MustCompile(`(?m)^(\w+)=(.*)$`)
	curlLine     = regexp.MustCompile(`(?m)^curl .*$`)
	shellWord    = regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`)
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readmeWalk are the curl lines of the README, against another address, and what
// it shows of the answers.
func readmeWalk(t *testing.T, address string) (requests []*http.Request, shown []string) {
	t.Helper()
	text := strings.ReplaceAll(readme(t), "http://127.0.0.1:8080", address)
	for _, block := range textBlock.FindAllStringSubmatch(text, -1) {
		shown = append(shown, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	variables := map[string]string{}
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		script := shellComment.ReplaceAllString(block[1], "")
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
	return requests, shown
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
