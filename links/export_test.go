package links

// What the tests of tracking templates call.
var (
	AppendQuery      = appendQuery
	FillTemplate     = fillTemplate
	ValidateTemplate = validateTemplate
)

// TemplateValues is what FillTemplate fills in.
type TemplateValues = templateValues
