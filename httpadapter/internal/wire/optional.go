package wire

import (
	"io"
	"mime/multipart"
	"strings"
)

// Optional is a field of a partial update: it tells "not sent" (Set is false)
// from "sent as null" (Null is true) from "sent" (Value). In a query or form an
// empty text is null.
type Optional[T any] struct {
	Value T
	Set   bool
	Null  bool
}

// Ptr is nil when the field was not sent or was null, else its value.
func (o Optional[T]) Ptr() *T {
	if !o.Set || o.Null {
		return nil
	}
	return &o.Value
}

// isOptional lets the decoder know the type; it then uses the three fields.
func (Optional[T]) isOptional() {}

// Unmarshaler is a field type that reads itself from a value as it was sent.
// The value is neither Absent nor Null.
//
// The error may be an [affiliate.Error] made by [affiliate.Validation], with
// field names relative to the value ("" is the value itself); the text of any
// other error becomes the message of this field.
type Unmarshaler interface {
	UnmarshalWire(Value) error
}

// File is an uploaded file; declare the field as File or *File. It is valid
// until the handler returns. Lenient dialects, whose documents print the field
// as a JSON string, also take a text: it is the content.
type File struct {
	Name        string // as the client gave it; never a path to use
	ContentType string // as the client gave it; look at the content instead
	Size        int64  // bytes
	open        func() (multipart.File, error)
}

// Open reads the file from its beginning. The caller closes it.
func (f File) Open() (io.ReadSeekCloser, error) { return f.open() }

func uploadedFile(h *multipart.FileHeader) File {
	return File{Name: h.Filename, ContentType: h.Header.Get("Content-Type"), Size: h.Size, open: h.Open}
}

func textFile(s string) File {
	return File{Size: int64(len(s)), open: func() (multipart.File, error) {
		return textReader{strings.NewReader(s)}, nil
	}}
}

type textReader struct{ *strings.Reader }

func (textReader) Close() error { return nil }
