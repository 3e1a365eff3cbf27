package links

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// URL is a shop URL in the one form that is matched and compared. The zero
// value is no URL and matches nothing; Normalize makes the others.
type URL struct {
	s        string // scheme://host[:port]/path[?query]
	fragment string // "" or "#…"
	text     string // path and query, decoded and case-folded: what keywords are looked for in
	host     uint16 // offsets into s: host, its end, path, the end of the path
	hostEnd  uint16
	path     uint16
	pathEnd  uint16
}

// String is the normalised URL without its fragment: two shop URLs are the
// same one when their strings are equal. The scheme and a port other than the
// scheme's own take part, so http and https are two URLs.
func (u URL) String() string { return u.s }

// Full is the normalised URL with its fragment, the form to send a reader to.
func (u URL) Full() string { return u.s + u.fragment }

// Host is the host without its port: lower-case ASCII, or an IP address
// (version 6 in brackets).
func (u URL) Host() string { return u.s[u.host:u.hostEnd] }

// Path is the path, never empty, percent-encoded.
func (u URL) Path() string { return u.s[u.path:u.pathEnd] }

// Query is the query without its question mark, percent-encoded, in the order
// in which it was written.
func (u URL) Query() string { return strings.TrimPrefix(u.s[u.pathEnd:], "?") }

// Normalize brings a shop URL to its one form. It is idempotent.
//
//   - Scheme http or https, in lower case; spaces around the URL are cut.
//   - User-info is dropped: https://acme.example@evil.example/ is evil.example.
//   - The host is percent-decoded and becomes lower-case ASCII (IDNA 2008 with
//     the UTS 46 mapping, as browsers do it); a trailing dot and the scheme's
//     default port go. A host that a browser would read as an IPv4 number
//     (0x7f.1) must be written as four decimal numbers.
//   - In path, query and fragment, encoded unreserved characters are decoded,
//     all that a URL may not hold is encoded (a stray % becomes %25), hex is
//     upper-case. Dot segments, also encoded ones, are resolved; an empty path
//     is "/". Empty segments, the order of the query and an empty query stay.
//
// Refused are URLs over MaxURLBytes (as given, and in the normalised form, which
// percent-encoding can make longer), invalid UTF-8, control characters (tabs
// and line ends too), and backslashes before the query, which browsers and
// servers read differently. The error is of kind affiliate.ErrInvalid with
// code "invalid_url" and one field "url".
func Normalize(raw string) (URL, error) {
	raw = strings.Trim(raw, " ")
	if code, message := checkText(raw); code != "" {
		return URL{}, invalidURL(code, message)
	}
	scheme, rest, ok := cutScheme(raw)
	if !ok {
		return URL{}, invalidURL("scheme", "must begin with http:// or https://")
	}
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	if strings.Contains(rest, `\`) {
		return URL{}, invalidURL("backslash", "must not contain a backslash before its query")
	}
	authority, path := cutPath(rest)
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	rawHost, port, ok := cutPort(authority, scheme)
	if !ok {
		return URL{}, invalidURL("port", "must have a port from 1 to 65535, or none")
	}
	host, kind := normalizeHost(rawHost)
	if kind == hostInvalid {
		return URL{}, invalidURL("host", "must have a valid host name")
	}

	path = normalizePath(path)
	prefix := scheme + "://"
	if hasQuery {
		query = "?" + normalizeText(query)
	}
	if hasFragment {
		fragment = "#" + normalizeText(fragment)
	}
	u := URL{s: prefix + host + port + path + query, fragment: fragment}
	if len(u.s)+len(u.fragment) > MaxURLBytes {
		return URL{}, invalidURL("too_long", tooLong)
	}
	u.host = uint16(len(prefix))
	u.hostEnd = u.host + uint16(len(host))
	u.path = u.hostEnd + uint16(len(port))
	u.pathEnd = u.path + uint16(len(path))
	u.text = foldText(u.s[u.path:])
	return u, nil
}

// without is the URL without the query parameters of these names.
func (u URL) without(names []string) URL {
	query := u.Query()
	if query == "" {
		return u
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if !slices.Contains(names, decodePercent(name)) {
			kept = append(kept, pair)
		}
	}
	rest := strings.Join(kept, "&")
	if rest == query {
		return u
	}
	text := u.s[:u.pathEnd]
	if rest != "" {
		text += "?" + rest
	}
	shorter, err := Normalize(text + u.fragment)
	if err != nil { // a part of a normal URL is one
		return u
	}
	return shorter
}

const tooLong = "must be at most 2048 bytes, also when percent-encoded"

func invalidURL(code, message string) error {
	return &affiliate.Error{
		Kind: affiliate.ErrInvalid, Code: "invalid_url", Message: "The URL is not a valid web address.",
		Fields: []affiliate.FieldError{{Field: "url", Code: code, Message: message}},
	}
}

// checkText refuses what no URL may hold, before it is taken apart.
func checkText(s string) (code, message string) {
	switch {
	case len(s) > MaxURLBytes:
		return "too_long", tooLong
	case !utf8.ValidString(s):
		return "invalid_utf8", "must be valid UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "control_character", "must not contain control characters"
	}
	return "", ""
}

// cutScheme takes http:// or https:// off s, in any case.
func cutScheme(s string) (scheme, rest string, ok bool) {
	for _, scheme := range [...]string{"https", "http"} {
		n := len(scheme)
		if len(s) >= n+3 && strings.EqualFold(s[:n], scheme) && s[n:n+3] == "://" {
			return scheme, s[n+3:], true
		}
	}
	return "", s, false
}

func cutPath(s string) (authority, path string) {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// cutPort splits host and port. The port comes back as ":8080", or empty when
// there is none or it is the scheme's own.
func cutPort(authority, scheme string) (host, port string, ok bool) {
	i := strings.LastIndexByte(authority, ':')
	if i < strings.LastIndexByte(authority, ']') {
		i = -1 // the colons of an IPv6 address
	}
	if i < 0 {
		return authority, "", true
	}
	host, digits := authority[:i], authority[i+1:]
	if digits == "" {
		return host, "", true
	}
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return "", "", false // ParseUint would take a sign
		}
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", "", false
	}
	if scheme == "http" && n == 80 || scheme == "https" && n == 443 {
		return host, "", true
	}
	return host, ":" + strconv.FormatUint(n, 10), true
}

// hostKind says what a normalised host is.
type hostKind uint8

const (
	hostInvalid hostKind = iota
	hostName
	hostIP
)

// idnaProfile maps as UTS 46 says, non-transitional (ß stays), and leaves
// the letter-digit-hyphen rule to validName: names with an underscore, or with
// two hyphens in third place, are in use.
var idnaProfile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false),
	idna.CheckJoiners(true), idna.CheckHyphens(false), idna.StrictDomainName(false),
)

func normalizeHost(s string) (string, hostKind) {
	if strings.HasPrefix(s, "[") {
		return normalizeIPv6(s)
	}
	if strings.Contains(s, "%") {
		s = decodePercent(s)
		if code, _ := checkText(s); code != "" {
			return "", hostInvalid
		}
	}
	host := strings.ToLower(s)
	if !isASCII(s) || strings.Contains(host, "xn--") {
		var err error
		if host, err = idnaProfile.ToASCII(s); err != nil {
			return "", hostInvalid
		}
		// Refuse what a second round would change or refuse, as it does some
		// letters of mixed direction: two spellings of one host must not stand.
		if again, err := idnaProfile.ToASCII(host); err != nil || again != host {
			return "", hostInvalid
		}
	}
	host = strings.TrimSuffix(host, ".")
	if !validName(host) {
		return "", hostInvalid
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; isNumber(last) {
		// Browsers take such a host for an IPv4 number in one of its many forms.
		if _, err := netip.ParseAddr(host); err != nil {
			return "", hostInvalid
		}
		return host, hostIP
	}
	return host, hostName
}

func normalizeIPv6(s string) (string, hostKind) {
	if !strings.HasSuffix(s, "]") {
		return "", hostInvalid
	}
	ip, err := netip.ParseAddr(s[1 : len(s)-1])
	if err != nil || !ip.Is6() || ip.Zone() != "" {
		return "", hostInvalid
	}
	return "[" + ip.String() + "]", hostIP
}

// validName holds a lower-case ASCII host to DNS: labels of 1 to 63 letters,
// digits, hyphens (not at an end) and underscores, 253 bytes in all.
func validName(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLower(c) && !isDigit(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// isNumber reports whether a label is digits, or 0x and hex digits.
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// normalizePath normalises the text of a path and resolves its dot segments.
func normalizePath(path string) string {
	path = normalizeText(path)
	if path == "" {
		return "/"
	}
	if !strings.Contains(path, "/.") {
		return path
	}
	out := make([]byte, 0, len(path)) // always a sequence of "/segment"
	for rest := path; rest != ""; {
		segment := rest
		if i := strings.IndexByte(rest[1:], '/'); i >= 0 {
			segment = rest[:i+1]
		}
		rest = rest[len(segment):]
		switch segment {
		case "/.":
		case "/..":
			for n := len(out); n > 0; {
				n--
				slash := out[n] == '/'
				out = out[:n]
				if slash {
					break
				}
			}
		default:
			out = append(out, segment...)
			continue
		}
		if rest == "" {
			out = append(out, '/') // a dot segment at the end names a folder
		}
	}
	return string(out)
}

// normalizeText brings the percent-encoding of a path, query or fragment to
// its one form. Delimiters are left as they are.
func normalizeText(s string) string {
	i := 0
	for i < len(s) && s[i] != '%' && isURLByte(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	out := make([]byte, i, len(s)+16)
	copy(out, s)
	for ; i < len(s); i++ {
		c := s[i]
		if c != '%' && isURLByte(c) {
			out = append(out, c)
			continue
		}
		if c == '%' {
			if v, ok := percentByte(s[i:]); ok {
				c = v
				i += 2
				if isUnreserved(c) {
					out = append(out, c)
					continue
				}
			}
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	return string(out)
}

// foldText decodes s and folds its case, so that equal text is equal bytes:
// every rune becomes the smallest one that Unicode's simple folding calls the
// same letter (ASCII letters the lower-case one).
func foldText(s string) string {
	s = decodePercent(s)
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	out := make([]byte, i, len(s)) // folding to the smallest rune never lengthens
	copy(out, s)
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			out = append(out, s[i]) // a byte that is no UTF-8 stands for itself
		} else {
			out = utf8.AppendRune(out, foldRune(r))
		}
		i += n
	}
	return string(out)
}

func foldRune(r rune) rune {
	smallest := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		smallest = min(smallest, f)
	}
	if 'A' <= smallest && smallest <= 'Z' {
		smallest += 'a' - 'A'
	}
	return smallest
}

// decodePercent decodes every %XX; a stray % stays.
func decodePercent(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	out := make([]byte, i, len(s))
	copy(out, s)
	for ; i < len(s); i++ {
		c := s[i]
		if v, ok := percentByte(s[i:]); ok {
			c = v
			i += 2
		}
		out = append(out, c)
	}
	return string(out)
}

// percentByte decodes the %XX that s begins with.
func percentByte(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	hi, ok1 := unhex(s[1])
	lo, ok2 := unhex(s[2])
	return hi<<4 | lo, ok1 && ok2
}

func unhex(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// isURLByte reports whether c may stand in a path, query or fragment as it is.
// Brackets are outside the grammar but in wide use there (?size[]=42).
func isURLByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("\"<>\\^`{|}", c) < 0
}

func isUnreserved(c byte) bool {
	return isLower(c|0x20) || isDigit(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
