// Package exports makes files, CSV and XLSX, of lists. It is a package of its own so
// that only dialects with exports link what writes XLSX.
package exports
