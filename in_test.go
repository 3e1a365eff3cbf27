package affiliatekit_test

import (
	"reflect"
	"testing"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/storage/memory"
	"github.com/matryer/is"
)

// A service that In forgets would write outside of the host's transaction.
func TestInKeepsNoServiceOfTheKitsOwn(t *testing.T) {
	is := is.New(t)
	db := memory.New()
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	is.NoErr(err)
	in, err := kit.In(db)
	is.NoErr(err)

	own, entered := reflect.ValueOf(*kit), reflect.ValueOf(*in)
	for i := range own.NumField() {
		field := own.Type().Field(i)
		if !field.IsExported() || own.Field(i).IsNil() || entered.Field(i).IsNil() {
			continue
		}
		if own.Field(i).Pointer() == entered.Field(i).Pointer() {
			t.Errorf("In keeps Kit.%s, which writes outside of the transaction", field.Name)
		}
	}
}
