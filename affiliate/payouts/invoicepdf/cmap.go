package invoicepdf

import "encoding/binary"

// runesOf returns the characters that a TrueType font has glyphs for: those of
// its format 4 table, which is how the font here keeps them. Of bytes that are
// no such font it returns none.
func runesOf(font []byte) map[rune]bool {
	u16 := func(at int) int {
		if at < 0 || at+2 > len(font) {
			return 0
		}
		return int(binary.BigEndian.Uint16(font[at:]))
	}
	u32 := func(at int) int { return u16(at)<<16 | u16(at+2) }
	known := make(map[rune]bool)
	for i := range u16(4) {
		entry := 12 + 16*i
		if entry+16 > len(font) || string(font[entry:entry+4]) != "cmap" {
			continue
		}
		cmap := u32(entry + 8)
		for j := range u16(cmap + 2) {
			table := cmap + u32(cmap+4+8*j+4)
			if u16(table) != 4 {
				continue
			}
			segments := u16(table+6) / 2
			ends, starts := table+14, table+16+2*segments
			for s := range segments {
				for c := u16(starts + 2*s); c <= u16(ends+2*s) && c < 0xffff; c++ {
					known[rune(c)] = true
				}
			}
		}
	}
	return known
}
