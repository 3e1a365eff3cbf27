package verification

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/affiliatekit/affiliatekit/links"
)

// standardTimeout bounds one look-up.
const standardTimeout = 10 * time.Second

// Standard returns the verifiers with their default options: DNS, then File.
func Standard() []links.DomainVerifier {
	return []links.DomainVerifier{NewDNS(DNSOptions{}), NewFile(FileOptions{})}
}

// TXTResolver looks TXT records up. *net.Resolver is one.
type TXTResolver interface {
	// LookupTXT returns the texts of the records of a name.
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// DNSOptions sets up a DNS. The zero DNSOptions work.
type DNSOptions struct {
	Resolver TXTResolver   // default: net.DefaultResolver
	Timeout  time.Duration // of one look-up; default: 10 seconds
}

// DNS looks for proofs in TXT records. It is safe for concurrent use.
type DNS struct{ opts DNSOptions }

var _ links.DomainVerifier = (*DNS)(nil)

// NewDNS returns a verifier of TXT records.
func NewDNS(o DNSOptions) *DNS {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Timeout <= 0 {
		o.Timeout = standardTimeout
	}
	return &DNS{o}
}

// VerifyDomain looks for the proof in the TXT records of its DNSName.
func (v *DNS) VerifyDomain(ctx context.Context, p links.DomainProof) error {
	ctx, cancel := context.WithTimeout(ctx, v.opts.Timeout)
	defer cancel()
	texts, err := v.opts.Resolver.LookupTXT(ctx, p.DNSName()+".") // the dot: no search list
	var failure *net.DNSError
	switch {
	case errors.As(err, &failure) && failure.IsNotFound:
		return fmt.Errorf("%w: %s has no TXT record", links.ErrNoProof, p.DNSName())
	case err != nil:
		return fmt.Errorf("verification: TXT records of %s: %w", p.DNSName(), err)
	case !slices.Contains(texts, p.Text()):
		return fmt.Errorf("%w: none of the %d TXT records of %s has the text", links.ErrNoProof, len(texts), p.DNSName())
	}
	return nil
}
