package smtp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	netsmtp "net/smtp"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/affiliate/mailing"
)

// Options sets up a Mailer. Address and From are required.
type Options struct {
	Address  string // host:port of the server
	From     string // "Acme <mail@acme.example>"
	Username string // empty: no authentication
	Password string
	// Insecure allows a connection without TLS, for a server on the same
	// machine. Otherwise a server that does not offer STARTTLS is refused.
	Insecure bool
	TLS      *tls.Config     // default: verifies the server's name
	Timeout  time.Duration   // of one message; default: 30 s
	Clock    affiliate.Clock // default: affiliate.SystemClock
}

var _ mailing.Mailer = (*Mailer)(nil)

// Mailer sends e-mails over an SMTP server, one connection for each. It is safe
// for concurrent use.
type Mailer struct {
	o    Options
	host string
	from mail.Address
}

// New returns a mailer. It does not connect.
func New(o Options) (*Mailer, error) {
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("smtp: Options.Address must be host:port: %w", err)
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("smtp: Options.From: %w", err)
	}
	if o.Timeout < 0 {
		return nil, errors.New("smtp: Options.Timeout must not be negative")
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{ServerName: host}
	}
	return &Mailer{o: o, host: host, from: *from}, nil
}

// Send implements mailing.Mailer. Every failure is affiliate.ErrUnavailable.
func (s *Mailer) Send(ctx context.Context, m mailing.Message) error {
	text, err := s.compose(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	if err := s.deliver(ctx, m.To, text); err != nil {
		return affiliate.Unavailable(fmt.Errorf("smtp: %w", errors.Join(err, ctx.Err())))
	}
	return nil
}

func (s *Mailer) deliver(ctx context.Context, to string, text []byte) (err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.o.Address)
	if err != nil {
		return err
	}
	// A context that ends closes the connection, which ends every call on it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	client, err := netsmtp.NewClient(conn, s.host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer func() {
		if err != nil {
			_ = client.Close() // the error is told already
		}
	}()
	if offered, _ := client.Extension("STARTTLS"); offered {
		err = client.StartTLS(s.o.TLS)
	} else if !s.o.Insecure {
		err = errors.New("the server offers no STARTTLS")
	}
	if err != nil {
		return err
	}
	if s.o.Username != "" {
		if err := client.Auth(netsmtp.PlainAuth("", s.o.Username, s.o.Password, s.host)); err != nil {
			return err
		}
	}
	if err := client.Mail(s.from.Address); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(text); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// compose writes the message as it goes over the wire. No header can be
// smuggled in: the address is parsed, the subject encoded.
func (s *Mailer) compose(m mailing.Message) ([]byte, error) {
	to, err := mail.ParseAddress(m.To)
	if err != nil || to.Address != m.To {
		return nil, affiliate.Invalid("mail", affiliate.FieldError{Field: "to", Code: "invalid_email", Message: "must be an e-mail address"})
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", s.from.String()}, {"To", to.String()}, {"Subject", mime.QEncoding.Encode("utf-8", oneLine(m.Subject))},
		{"Date", s.o.Clock.Now().Format(time.RFC1123Z)}, {"Message-ID", "<" + hex.EncodeToString(id[:]) + "@" + domain + ">"},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
		{"Auto-Submitted", "auto-generated"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(m.Text)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// oneLine makes spaces of what would end a header.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
