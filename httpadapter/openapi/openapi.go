// Package openapi has the OpenAPI 3.1 documents of the HTTP adapter: one for
// all APIs and one for each dialect. They are made from the route tables and the
// Go types of requests and responses; `make openapi` writes them.
package openapi

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
)

//go:embed *.json.gz
var documents embed.FS

// Names are the documents: "openapi" is the one for all.
func Names() []string {
	return []string{"openapi", "metapic", "advertiser", "myshare", "productlists", "apisync", "tracking"}
}

// Packed returns a document as gzip; ok is false for an unknown name.
func Packed(name string) (document []byte, ok bool) {
	document, err := documents.ReadFile(name + ".json.gz")
	return document, err == nil
}

// JSON returns a document; ok is false for an unknown name.
func JSON(name string) (document []byte, ok bool) {
	packed, ok := Packed(name)
	if !ok {
		return nil, false
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, false
	}
	document, err = io.ReadAll(r)
	return document, err == nil
}
