// Package mailing sends the e-mails of affiliatekit: invites, approvals and
// invitations to campaigns. What carries them is the host's [Mailer]; a
// [Recorder] for tests is here, and an SMTP client in package smtp below.
//
// # Quota
//
// Each advertiser has a number of e-mails a day, from midnight to midnight UTC.
// A mail is counted in one unit of work before it is sent, so that several
// processes together never send more than the quota:
//
//	reserved ──sent──► sent
//	    └────failed──► (gone, not counted)
//
// E-mails of the operator itself, such as approvals, belong to no advertiser
// and have no quota.
//
// # Once
//
// Every mail has a key. A mail whose key was sent is not sent again, so an event
// that is delivered twice makes one mail. A process that dies between reserving
// and sending leaves a reserved mail, and the next delivery of the event sends
// it: a mail may come twice then, and is never lost.
package mailing
