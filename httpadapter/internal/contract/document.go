package contract

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/affiliatekit/affiliatekit/httpadapter/openapi"
)

// Document is the OpenAPI document of a dialect, which answers are held against.
type Document struct {
	operations []operation
}

// operation is one of a document.
type operation struct {
	method string
	path   []string // its segments; "{}" is a parameter
	*openapi3.Operation
}

// DocumentOf reads the document of a dialect. Here its objects have what they
// name and nothing else: what is printed and not documented fails as well.
func DocumentOf(t testing.TB, name string) Document {
	t.Helper()
	if known, ok := documents.Load(name); ok {
		return known.(Document)
	}
	text, ok := openapi.JSON(name)
	if !ok {
		t.Fatalf("there is no OpenAPI document %q", name)
	}
	loaded, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	var d Document
	for path, item := range loaded.Paths.Map() {
		for method, op := range item.Operations() {
			d.operations = append(d.operations, operation{method, segments(parameter.ReplaceAllString(path, "{}")), op})
		}
	}
	// A word goes before a parameter in the same place.
	slices.SortFunc(d.operations, func(a, b operation) int { return slices.Compare(a.path, b.path) })
	for _, schema := range loaded.Components.Schemas {
		closeObjects(schema)
	}
	documents.Store(name, d)
	return d
}

// documents are those that were read, by their names.
var documents sync.Map

var parameter = regexp.MustCompile(`\{[^}]*\}`)

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// find is the operation of a request.
func (d Document) find(method, target string) (operation, bool) {
	path, _, _ := strings.Cut(target, "?")
	sent := segments(path)
	for _, op := range d.operations {
		fits := op.method == method && len(op.path) == len(sent)
		for i := 0; fits && i < len(sent); i++ {
			fits = op.path[i] == "{}" || op.path[i] == sent[i]
		}
		if fits {
			return op, true
		}
	}
	return operation{}, false
}

// closeObjects lets the objects of a schema have no other members than those
// that it names.
func closeObjects(s *openapi3.SchemaRef) {
	if s == nil || s.Ref != "" {
		return
	}
	no := false
	if len(s.Value.Properties) > 0 && s.Value.AdditionalProperties.Has == nil && s.Value.AdditionalProperties.Schema == nil {
		s.Value.AdditionalProperties.Has = &no
	}
	for _, inner := range s.Value.Properties {
		closeObjects(inner)
	}
	for _, inner := range s.Value.AnyOf {
		closeObjects(inner)
	}
	closeObjects(s.Value.Items)
	closeObjects(s.Value.AdditionalProperties.Schema)
}

// Check says where an answer is not what the document has for the request. An
// answer to what is no operation (404, 405) is not looked at.
func (d Document) Check(method, target string, got *httptest.ResponseRecorder) error {
	op, ok := d.find(method, target)
	if !ok {
		return nil
	}
	response := op.Responses.Value(strconv.Itoa(got.Code))
	if response == nil {
		response = op.Responses.Value("default")
	}
	if response == nil {
		return fmt.Errorf("the OpenAPI document has no answer %d of %s", got.Code, op.OperationID)
	}
	if len(response.Value.Content) == 0 {
		if got.Body.Len() > 0 {
			return fmt.Errorf("the OpenAPI document has no body for %d of %s", got.Code, op.OperationID)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(got.Header().Get("Content-Type"))
	if err != nil {
		return err
	}
	content := response.Value.Content[media]
	if content == nil {
		content = response.Value.Content["*/*"]
	}
	if content == nil {
		return fmt.Errorf("the OpenAPI document has no %s for %s", media, op.OperationID)
	}
	if !strings.HasSuffix(media, "json") || content.Schema.Value.Format == "binary" {
		return nil
	}
	var value any
	if err := json.Unmarshal(got.Body.Bytes(), &value); err != nil {
		return err
	}
	err = content.Schema.Value.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.EnableFormatValidation())
	if err != nil {
		return fmt.Errorf("the OpenAPI document has something else for %s: %w", op.OperationID, err)
	}
	return nil
}
