// Command openapi makes the OpenAPI 3.1 documents of the HTTP adapter from its
// route tables and the Go types of its requests and responses:
//
//	go run . -out ../openapi      what the adapter embeds, one gzip file a document
//	go run . -plain DIRECTORY     the same as plain JSON, for a linter or a reader
//
// Run it from its own folder: it reads examples from ../testdata/contract.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "", "the folder for the gzip files")
	plain := flag.String("plain", "", "the folder for plain JSON files")
	flag.Parse()
	if err := run(*out, *plain); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out, plain string) error {
	documents, err := Documents("../testdata/contract")
	if err != nil {
		return err
	}
	for name, text := range documents {
		if plain != "" {
			var indented bytes.Buffer
			if err := json.Indent(&indented, text, "", "  "); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(plain, name+".json"), indented.Bytes(), 0o644); err != nil {
				return err
			}
		}
		if out != "" {
			packed, err := pack(text)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(out, name+".json.gz"), packed, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// pack compresses a document. There is no time in the file: the same document
// is the same bytes.
func pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
