package stats

import "github.com/affiliatekit/affiliatekit/affiliate"

// Derived is a number that rows are sorted by and that is made of their figures.
type Derived struct {
	Name string
	// Terms are the figures that add up to the number, by name; a name behind a
	// minus is taken off.
	Terms []string
	// Per is the figure that the number is divided by, by name; empty: none. The
	// number is zero where the figure is.
	Per string
}

// DerivedColumns lists what rows can be sorted by beside their figures.
func DerivedColumns() []Derived {
	return []Derived{
		{Name: "earnings", Terms: []string{"click_earning", "order_earning"}},
		{Name: "cost", Terms: []string{"click_cost", "order_cost"}},
		{Name: "gross_profit", Terms: []string{"click_cost", "order_cost", "-click_earning", "-order_earning"}},
		{Name: "earnings_per_click", Terms: []string{"click_earning", "order_earning"}, Per: "clicks"},
		{Name: "click_through_rate", Terms: []string{"clicks"}, Per: "views"},
	}
}

// The columns that need more than figures.
const (
	SortDay             = "date"
	SortUsername        = "username"         // ByUser only
	SortInstagramClicks = "instagram_clicks" // clicks of the source Instagram
	SortOtherClicks     = "other_clicks"     // clicks of all other sources
)

// SortColumns lists what Page can sort by.
func SortColumns(by Dimensions) []string {
	names := []string{SortInstagramClicks, SortOtherClicks}
	if by&ByDay != 0 {
		names = append(names, SortDay)
	}
	if by&ByUser != 0 {
		names = append(names, SortUsername)
	}
	for _, c := range Columns() {
		names = append(names, c.Name)
	}
	for _, d := range DerivedColumns() {
		names = append(names, d.Name)
	}
	return names
}

// CheckOrder is ErrInvalid when a column is unknown.
func CheckOrder(by Dimensions, order []affiliate.Sort) error {
	for _, s := range order {
		if err := (affiliate.PageRequest{Number: 1, Size: 1, Sort: s}).Validate(SortColumns(by)...); err != nil {
			return err
		}
	}
	return nil
}
