package smtp_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing/smtp"
)

func TestAMailerSpeaksToAServer(t *testing.T) {
	is := is.New(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	heard := make(chan []string, 1)
	go func() { heard <- serveSMTP(listener) }()
	m, err := smtp.New(smtp.Options{Address: listener.Addr().String(), From: "Acme <mail@acme.example>", Insecure: true, Timeout: 5 * time.Second})
	is.NoErr(err)
	is.NoErr(m.Send(t.Context(), mailing.Message{To: "anna@example.com", Subject: "Hej Å\r\nBcc: x@y.example", Text: "Grüße 日本\n"}))
	said := strings.Join(<-heard, "\n")
	for _, want := range []string{"MAIL FROM:<mail@acme.example>", "RCPT TO:<anna@example.com>", `From: "Acme" <mail@acme.example>`, "Subject: =?utf-8?q?Hej_=C3=85__Bcc:_x@y.example?=", "Gr=C3=BC=C3=9Fe"} {
		if !strings.Contains(said, want) {
			t.Errorf("the server did not hear %q in:\n%s", want, said)
		}
	}
	is.True(!strings.Contains(said, "\nBcc:"))

	is.True(errors.Is(m.Send(t.Context(), mailing.Message{To: "anna@example.com>\r\nRCPT TO:<x"}), affiliate.ErrInvalid))
	is.True(errors.Is(m.Send(t.Context(), mailing.Message{To: "anna@example.com"}), affiliate.ErrUnavailable)) // nobody listens any more
	for _, bad := range []smtp.Options{{Address: "no port", From: "a@b.example"}, {Address: "a:1", From: "nobody"}, {Address: "a:1", From: "a@b.example", Timeout: -1}} {
		_, err := smtp.New(bad)
		is.True(err != nil)
	}
}

// serveSMTP takes one message and returns the lines that it was sent.
func serveSMTP(listener net.Listener) (lines []string) {
	conn, err := listener.Accept()
	_ = listener.Close()
	if err != nil {
		return []string{err.Error()}
	}
	defer func() { _ = conn.Close() }()
	say := func(s string) { _, _ = fmt.Fprintf(conn, "%s\r\n", s) }
	say("220 test")
	data := false
	for in := bufio.NewScanner(conn); in.Scan(); {
		line := in.Text()
		lines = append(lines, line)
		switch {
		case data && line == ".":
			data = false
			say("250 kept")
		case data:
		case strings.HasPrefix(line, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(line, "QUIT"):
			say("221 bye")
			return lines
		default:
			say("250 ok")
		}
	}
	return lines
}

func TestAMailerWantsTLSUnlessToldOtherwise(t *testing.T) {
	is := is.New(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	done := make(chan []string, 1)
	go func() { done <- serveSMTP(listener) }()
	m, err := smtp.New(smtp.Options{Address: listener.Addr().String(), From: "mail@acme.example", Timeout: 5 * time.Second})
	is.NoErr(err)
	is.True(errors.Is(m.Send(t.Context(), mailing.Message{To: "anna@example.com", Text: "secret"}), affiliate.ErrUnavailable))
	is.True(!strings.Contains(strings.Join(<-done, "\n"), "secret"))
}
