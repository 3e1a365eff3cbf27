// Package docspage is the page that shows the OpenAPI documents in a browser:
// swagger-ui of the npm package swagger-ui-dist, version 5.35.0, whose licence is
// in assets/, and a frame and a stylesheet of ours. It asks nobody else for
// anything.
package docspage

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io"
)

//go:embed assets/*.gz page.css page.js
var files embed.FS

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// Policy is the content security policy of the page: it runs and loads only what
// comes from where it came from. Small pictures of the stylesheet are data URLs.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Document is one that the page offers.
type Document struct {
	Title string
	Query string // what ?api= has; "" for the first
	URL   string // relative to the page
}

// Page writes the page.
func Page(w io.Writer, title string, documents []Document) error {
	return page.Execute(w, struct {
		Title     string
		Documents []Document
	}{title, documents})
}

// Asset is a file of the page.
type Asset struct {
	ContentType string
	Packed      []byte // as gzip
}

// Assets returns the files by their names.
func Assets() (map[string]Asset, error) {
	assets := make(map[string]Asset)
	for name, contentType := range map[string]string{
		"swagger-ui-bundle.js": "text/javascript; charset=utf-8", "page.js": "text/javascript; charset=utf-8",
		"swagger-ui.css": "text/css; charset=utf-8", "page.css": "text/css; charset=utf-8",
	} {
		packed, err := files.ReadFile("assets/" + name + ".gz")
		if err != nil {
			if packed, err = files.ReadFile(name); err == nil {
				packed, err = Pack(packed)
			}
		}
		if err != nil {
			return nil, err
		}
		assets[name] = Asset{contentType, packed}
	}
	return assets, nil
}

// Pack compresses a text.
func Pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// Unpack is the text of what Pack made.
func Unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
