// Package media keeps what creators published: videos and pictures that were
// captured on Instagram, TikTok and YouTube. An ingest of the host puts them
// here with [Service.Add]; the operator and the clients look at them.
//
// # Who sees what
//
// The operator sees all media, a client those of its users. An advertiser sees
// the shown ones of the creators that it sees. Media of nobody that we know are
// the operator's alone.
//
// # What the document leaves open
//
//   - status is the show_store number: 0 hidden, 1 shown, 2 undecided.
//   - group is a number that the ingest gives; nothing is derived from it.
//   - A video of YouTube has a media_id, others have the place of a file.
package media
