// Package verification looks for the proof that a store owns its domain: a text in
// a TXT record ([DNS]) or in a file of the domain's web server ([File]). Both are
// verifiers for links.Options.DomainVerifiers:
//
//	links.Options{DomainVerifiers: verification.Standard()}
//
//	_affiliatekit.shop.example. TXT "affiliatekit-verification=<challenge>"
//	https://shop.example/.well-known/affiliatekit-verification.txt has that text as a line
//
// The host calls links.Service.VerifyRule when the store says that the text is
// published, or from time to time; nothing runs by itself.
//
// # Safety
//
// Strangers name these domains. The file is read with the client of package
// outbound: private and other special addresses are refused when they are dialled,
// redirects are not followed (another host would prove itself only), at most 4 KiB
// are read, and the whole request has a deadline. Names are looked up as they are,
// without the search list of the machine. The TXT record has a name of its own, so
// that a wildcard for addresses proves nothing.
//
// # Choices where the documents are silent
//
//   - Only the host of the rule itself counts: a record of shop.example proves
//     nothing of blog.shop.example. A rule for shop.example has both.
//   - The file is asked for over https. A host that accepts plain http, which
//     anybody on the way can change, says so with FileOptions.Address.
//   - A proof is looked at once. It may be removed afterwards; an operator who
//     wants a store to prove its domain again deletes the rule.
package verification
