// Package archive keeps old clicks and events as compressed JSON Lines in an
// affiliate.Blobs, and reads them back. Package links/retention writes them
// before it removes anything.
//
//	clicks ─► Part ─► gzip ─► Blobs: clicks-2026-01-<first id>-<last id>.jsonl.gz
//	events ─► Part ─► gzip ─► Blobs: events-<first sequence>-<last sequence>.jsonl.gz
//
// One line is one click or event; see [ClickLine] and [EventLine] for the fields.
// Any tool that knows gzip and JSON Lines reads them.
//
// # Choices
//
//   - Visitor keys are personal data and are never archived, whenever the
//     click is.
//   - A key names the first and the last item of its part, so that a part that
//     is written again, after a crash, replaces itself. A crash may also leave a
//     part that overlaps the next one: the reader returns each item once.
//   - A reader holds one line at a time, and one part as it is compressed.
package archive
