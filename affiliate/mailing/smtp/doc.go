// Package smtp sends the e-mails of package mailing over an SMTP server. It is a
// package of its own so that programs that send none do not link TLS.
//
//	mailer, err := smtp.New(smtp.Options{Address: "mail.example:587", From: "Acme <mail@acme.example>", Username: "acme", Password: password})
//	kit, err := affiliatekit.New(backend, affiliatekit.Options{Mailing: mailing.Options{Mailer: mailer}})
package smtp
