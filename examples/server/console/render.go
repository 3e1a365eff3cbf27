package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

//go:embed templates
var templates embed.FS

// pages are the templates, each with the layout around it.
type pages struct{ byName map[string]*template.Template }

func parsePages() (*pages, error) {
	names, err := fs.Glob(templates, "templates/page_*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{byName: make(map[string]*template.Template, len(names))}
	for _, name := range names {
		t, err := template.New("layout.html").Funcs(functions).ParseFS(templates, "templates/layout.html", "templates/parts.html", name)
		if err != nil {
			return nil, err
		}
		p.byName[strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page_"), ".html")] = t
	}
	return p, nil
}

// frame is what the layout shows.
type frame struct {
	Page string // whose place in the navigation is marked
	Data any
}

// send renders a page as a whole before it sends any of it.
func (c *Console) send(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var page bytes.Buffer
	if err := c.pages.byName[name].Execute(&page, frame{name, data}); err != nil {
		c.o.Logger.ErrorContext(r.Context(), "the console could not render", "page", name, "error", err)
		http.Error(w, "Something went wrong. The server's log says what.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // a reader who has gone is no trouble
}

// problem says on a page of its own what is wrong.
func (c *Console) problem(w http.ResponseWriter, r *http.Request, status int, text string) {
	c.send(w, r, status, "problem", struct {
		Status      int
		Title, Text string
	}{status, http.StatusText(status), text})
}

var functions = template.FuncMap{
	"money":   Amount,
	"count":   Count,
	"at":      at,
	"stamp":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"day":     func(t time.Time) string { return t.Format(time.DateOnly) },
	"words":   func(s any) string { return spaced(fmt.Sprint(s)) },
	"percent": Percent,
	"major":   major,
	"row":     func(i int) int { return i*20 + 4 }, // of the bars of verdicts, as high as the list beside them
	"prefix":  func() string { return Prefix },
}

// spaced is a stable word of the library for people.
func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

// at is an instant for people, to the second.
func at(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// Amount is money for people: "1,234.50 SEK".
func Amount(m affiliate.Money) string {
	if m == (affiliate.Money{}) {
		return "no money"
	}
	return grouped(m.MajorString()) + " " + string(m.Currency())
}

// Count is a number for people: "1,234".
func Count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// grouped puts a comma before every third digit of the whole part.
func grouped(number string) string {
	digits, sign := number, ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "−", digits[1:]
	}
	whole, fraction, pointed := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if pointed {
		whole += "." + fraction
	}
	return sign + whole
}

// pager leads from one page of a list to its neighbours; no address: none.
type pager struct {
	Previous, Next string
	Text           string // "26 to 50 of 60 campaigns"
}

// numbered reads ?page= and says what to ask the service for.
func numbered(r *http.Request, sort affiliate.Sort) (affiliate.PageRequest, error) {
	p := affiliate.PageRequest{Number: 1, Size: PageSize, Sort: sort}
	if text := r.URL.Query().Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > affiliate.MaxPageNumber {
			return p, affiliate.Invalid("page", affiliate.FieldError{Field: "page", Code: "out_of_range", Message: fmt.Sprintf("must be a whole number from 1 to %d", affiliate.MaxPageNumber)})
		}
		p.Number = n
	}
	return p, nil
}

// pagerFor leads to the pages around p of a list of total things.
func pagerFor(r *http.Request, p affiliate.PageRequest, shown, total int, things string) pager {
	var out pager
	with := func(n int) string { return address(r, "page", strconv.Itoa(n)) }
	if p.Number > 1 {
		out.Previous = with(p.Number - 1)
	}
	if p.Offset()+shown < total && shown > 0 {
		out.Next = with(p.Number + 1)
	}
	if shown > 0 {
		out.Text = fmt.Sprintf("%s to %s of %s %s", Count(int64(p.Offset()+1)), Count(int64(p.Offset()+shown)), Count(int64(total)), things)
	}
	return out
}

// address is the request's own, with another value of one parameter.
func address(r *http.Request, name, value string) string {
	q := r.URL.Query()
	q.Set(name, value)
	return (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String()
}

// whole reads a parameter that is an id or a sequence; absent is 0.
func whole(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	return wholeNumber(name, text)
}

func wholeNumber(name, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, affiliate.Invalid("page", affiliate.FieldError{Field: name, Code: "invalid_integer", Message: "must be a whole number above 0"})
	}
	return n, nil
}
