package productlists

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// The bounds of a list. Lengths are in characters.
const (
	MaxName          = 255
	MaxOwner         = 255
	MaxAccountID     = 64
	MaxProductID     = 255
	MaxPairs         = 16     // of metadata
	MaxMetadataKey   = 64     // at least 1
	MaxMetadataValue = 512    // may be empty
	MaxBatch         = 1_000  // product ids that one call names
	MaxProducts      = 10_000 // products on a list
)

// Pair is one entry of a list's metadata.
type Pair struct {
	Key   string
	Value string
}

// List is an account's ordered list of products, without the products.
type List struct {
	ID              uuid.UUID
	AccountID       string // whose it is: the Subject of its principal, 1..MaxAccountID characters
	Name            string // 1..MaxName characters
	Metadata        []Pair // at most MaxPairs, ascending by key, each key once
	PoolID          affiliate.Optional[int64]
	OwnerIdentifier string // at most MaxOwner characters
	Size            int    // how many products are on it; counted by the backend
	CreatedAt       time.Time
}

// Validate checks what every backend refuses.
func (l List) Validate() error {
	var v affiliate.Validation
	v.Check(l.ID != uuid.Nil, "id", "required", "is required")
	v.Text("account_id", l.AccountID, 1, MaxAccountID)
	v.Text("name", l.Name, 1, MaxName)
	v.Text("owner_identifier", l.OwnerIdentifier, 0, MaxOwner)
	validateMetadata(&v, l.Metadata)
	sorted := slices.IsSortedFunc(l.Metadata, byKey)
	for i := 1; i < len(l.Metadata); i++ {
		sorted = sorted && l.Metadata[i-1].Key != l.Metadata[i].Key
	}
	v.Check(sorted, "metadata", "not_sorted", "must have each key once, in ascending order")
	return v.Err("product_list")
}

// MetadataOf makes pairs of a map, in the order that List asks for.
func MetadataOf(m map[string]string) []Pair {
	pairs := make([]Pair, 0, len(m))
	for k, value := range m {
		pairs = append(pairs, Pair{k, value})
	}
	slices.SortFunc(pairs, byKey)
	return pairs
}

func byKey(a, b Pair) int { return cmp.Compare(a.Key, b.Key) }

// validateMetadata names a pair by its key: "metadata.season".
func validateMetadata(v *affiliate.Validation, pairs []Pair) {
	v.Check(len(pairs) <= MaxPairs, "metadata", "too_many", "must have at most 16 pairs")
	for _, p := range pairs {
		var key affiliate.Validation
		key.Text("", p.Key, 1, MaxMetadataKey)
		if key.Err("") != nil {
			v.Add("metadata", "invalid_key", "must have keys of 1 to 64 characters, without NUL and in valid UTF-8")
			continue
		}
		v.Text("metadata."+p.Key, p.Value, 0, MaxMetadataValue)
	}
}

// ValidateProductIDs checks each id as every backend does. The error names
// "product_ids" and the place of the id from 0.
func ValidateProductIDs(ids []string) error {
	var v affiliate.Validation
	for i, id := range ids {
		validateProductID(&v, i, id)
	}
	return v.Err("product_list")
}

func validateProductID(v *affiliate.Validation, i int, id string) {
	var one affiliate.Validation
	one.Text("", id, 1, MaxProductID)
	if err := one.Err(""); err != nil {
		v.Merge("product_ids", renamed(err, strconv.Itoa(i)))
	}
}

// renamed gives the only field of a validation error another name.
func renamed(err error, field string) error {
	if e, ok := err.(*affiliate.Error); ok && len(e.Fields) == 1 {
		e.Fields[0].Field = field
	}
	return err
}

// batch are the distinct ids in the order of their first place, checked and
// not more than one call may name.
func batch(ids []string) ([]string, error) {
	var v affiliate.Validation
	v.Check(len(ids) <= MaxBatch, "product_ids", "too_many", "must not have more than 1000 items")
	if err := v.Err("product_list"); err != nil {
		return nil, err
	}
	if err := ValidateProductIDs(ids); err != nil {
		return nil, err
	}
	return distinct(ids), nil
}

func distinct(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
