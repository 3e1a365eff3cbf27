package wire

import (
	"errors"
	"math"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"
)

// maxPairs bounds the name=value pairs of one query or form.
const maxPairs = 10_000

var (
	errEscape = errors.New("not valid percent-encoding")
	errPairs  = errors.New("made of more than " + strconv.Itoa(maxPairs) + " fields")
)

// parseForm reads name=value pairs with PHP brackets into a tree:
// users[0][id]=1, domains[]=a, filter[state]=active. A name that has no
// well-formed brackets is taken literally; [k]=v without a name is member k of
// the member "".
func parseForm(s string) (Value, error) {
	f := newForm()
	for len(s) > 0 {
		var pair string
		pair, s, _ = strings.Cut(s, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return Value{}, errEscape
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			return Value{}, errEscape
		}
		if err := f.add(name, textValue(value)); err != nil {
			return Value{}, err
		}
	}
	return f.root.freeze(), nil
}

// parseMultipart puts the fields and files of a multipart form into a tree.
func parseMultipart(m *multipart.Form) (Value, error) {
	f := newForm()
	for name, values := range m.Value {
		for _, value := range values {
			if err := f.add(name, textValue(value)); err != nil {
				return Value{}, err
			}
		}
	}
	for name, files := range m.File {
		for _, file := range files {
			if err := f.add(name, Value{kind: Uploaded, loose: true, file: file}); err != nil {
				return Value{}, err
			}
		}
	}
	return f.root.freeze(), nil
}

func textValue(s string) Value {
	return Value{kind: Text, loose: true, text: s, fault: textFault(s)}
}

// form builds the tree. Indexes are keys of a map, as in PHP, so that
// users[999999999][id] costs one entry.
type form struct {
	root  *formNode
	pairs int
	nodes int
}

type formNode struct {
	leaf     Value // counts only without children: of a=1&a[b]=2 the last one wins
	order    []string
	children map[string]*formNode
	next     int64 // the index that [] takes
}

func newForm() *form { return &form{root: &formNode{}} }

func (f *form) add(name string, v Value) error {
	if f.pairs++; f.pairs > maxPairs {
		return errPairs
	}
	base, brackets, err := splitName(name)
	if err != nil {
		return err
	}
	node, err := f.child(f.root, base)
	for _, key := range brackets {
		if err != nil {
			return err
		}
		if key == "" {
			key = strconv.FormatInt(node.next, 10)
		}
		node, err = f.child(node, key)
	}
	if err != nil {
		return err
	}
	*node = formNode{leaf: v} // the last one wins
	return nil
}

func (f *form) child(parent *formNode, key string) (*formNode, error) {
	if c := parent.children[key]; c != nil {
		return c, nil
	}
	if f.nodes++; f.nodes > maxValues {
		return nil, errCount
	}
	if parent.children == nil {
		parent.children = make(map[string]*formNode)
	}
	if i, ok := listIndex(key); ok && i >= parent.next {
		if i == math.MaxInt64 {
			return nil, errCount
		}
		parent.next = i + 1
	}
	c := &formNode{}
	parent.children[key] = c
	parent.order = append(parent.order, key)
	return c, nil
}

func (n *formNode) freeze() Value {
	if n.children == nil && n.leaf.kind != Absent {
		return n.leaf
	}
	v := Value{kind: Object, loose: true, keys: n.order, items: make([]Value, len(n.order))}
	for i, k := range n.order {
		v.items[i] = n.children[k].freeze()
	}
	return v
}

// splitName takes "users[0][id]" apart into "users" and ["0" "id"].
func splitName(name string) (base string, brackets []string, err error) {
	open := strings.IndexByte(name, '[')
	if open < 0 || name[len(name)-1] != ']' {
		return name, nil, nil
	}
	for rest := name[open:]; rest != ""; {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 {
			return name, nil, nil
		}
		if len(brackets) == maxDepth {
			return "", nil, errDepth
		}
		brackets = append(brackets, rest[1:end])
		rest = rest[end+1:]
	}
	return name[:open], brackets, nil
}

// listIndex reads a canonical index: digits without leading zeros.
func listIndex(key string) (int64, bool) {
	i, err := strconv.ParseInt(key, 10, 64)
	return i, err == nil && i >= 0 && strconv.FormatInt(i, 10) == key
}
