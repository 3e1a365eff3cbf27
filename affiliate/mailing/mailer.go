package mailing

import (
	"context"
	"slices"
	"sync"
)

// Message is one e-mail in plain text.
type Message struct {
	To      string // an e-mail address in normal form
	Subject string // one line
	Text    string
}

// Mailer carries e-mails. It is safe for concurrent use.
type Mailer interface {
	// Send returns when the message was handed over, or was refused.
	Send(ctx context.Context, m Message) error
}

// Recorder is a Mailer that keeps the messages instead of sending them.
type Recorder struct {
	mu       sync.Mutex
	messages []Message
}

// maxRecorded bounds what a Recorder keeps: the newest ones.
const maxRecorded = 1000

// Send implements Mailer.
func (r *Recorder) Send(_ context.Context, m Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) == maxRecorded {
		r.messages = slices.Delete(r.messages, 0, 1)
	}
	r.messages = append(r.messages, m)
	return nil
}

// Messages returns what was sent, the oldest first.
func (r *Recorder) Messages() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}
