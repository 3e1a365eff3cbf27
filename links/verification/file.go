package verification

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate/outbound"
	"github.com/affiliatekit/affiliatekit/links"
)

// maxFileBytes bounds what is read of a file.
const maxFileBytes = 4 << 10

// FileOptions sets up a File. The zero FileOptions work.
type FileOptions struct {
	// Address returns where a host serves from, without a trailing slash.
	// Default: https and the host.
	Address  func(host string) string
	Timeout  time.Duration         // of one request; default: 10 seconds
	Allow    func(netip.Addr) bool // which addresses may be reached; default: outbound.Public
	Resolver *net.Resolver         // finds the addresses of hosts; default: net.DefaultResolver
}

// File looks for proofs in a file of the domain's web server. It is safe for
// concurrent use.
type File struct {
	address func(host string) string
	client  *http.Client
}

var _ links.DomainVerifier = (*File)(nil)

// NewFile returns a verifier of files.
func NewFile(o FileOptions) *File {
	if o.Address == nil {
		o.Address = func(host string) string { return "https://" + host }
	}
	if o.Timeout <= 0 {
		o.Timeout = standardTimeout
	}
	return &File{o.Address, outbound.NewClient(outbound.Options{Timeout: o.Timeout, Allow: o.Allow, Resolver: o.Resolver})}
}

// VerifyDomain looks for the proof in a line of the file.
func (v *File) VerifyDomain(ctx context.Context, p links.DomainProof) error {
	url := v.address(p.Host) + p.Path()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("verification: %w", err)
	}
	req.Header.Set("User-Agent", "affiliatekit-verification")
	req.Close = true // one request to each host
	resp, err := v.client.Do(req)
	if errors.Is(err, outbound.ErrForbidden) { // it will never be reached
		return fmt.Errorf("%w: %s: %w", links.ErrNoProof, url, outbound.ErrForbidden)
	}
	if err != nil {
		return fmt.Errorf("verification: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it is not read any further
	switch {
	case resp.StatusCode >= 500:
		return fmt.Errorf("verification: %s responded with status %d", url, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: %s responded with status %d", links.ErrNoProof, url, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFileBytes))
	if err != nil {
		return fmt.Errorf("verification: %w", err)
	}
	if !hasLine(body, p.Text()) {
		return fmt.Errorf("%w: no line of the first 4 KiB of %s is the text", links.ErrNoProof, url)
	}
	return nil
}

// hasLine reports whether a line of the body is the text, but for white space and
// a byte order mark around it.
func hasLine(body []byte, text string) bool {
	lines := bufio.NewScanner(bytes.NewReader(body)) // its lines are shorter than its bound
	for lines.Scan() {
		if string(bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))) == text {
			return true
		}
	}
	return false
}
