package productlists

// What the tests of commission templates call.
var (
	FillTemplate     = fillTemplate
	ValidateTemplate = validateTemplate
)
