// Package invoicepdf makes self-billing invoices PDFs:
//
//	service, err := payouts.NewService(store, payouts.Options{Renderer: invoicepdf.New()})
//
// It is a package of its own, so that a host that renders invoices otherwise
// links neither the PDF library nor the font.
//
// The same document is the same bytes. Text may be in any script that the font
// has: Latin, Greek, Cyrillic, kana and the kanji of JIS X 0208, with the signs
// of all currencies. A character that the font lacks is printed as "□".
//
// # The font
//
// font/invoice.ttf is a subset of Noto Sans (Latin, Greek, Cyrillic, signs) and
// Noto Sans JP (kana, kanji), merged and renamed. Both are under the SIL Open
// Font License 1.1, which is beside it.
package invoicepdf
