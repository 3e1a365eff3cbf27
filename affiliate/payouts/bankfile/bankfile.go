package bankfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/affiliatekit/affiliatekit/affiliate/payouts"
)

// Format is what a file is written in.
type Format string

// The formats.
const (
	Pain001 Format = "pain.001" // ISO 20022, pain.001.001.09
	CSV     Format = "csv"
)

// Debtor is who pays, and from which account.
type Debtor struct {
	Name    string // 1..140 characters
	Country string // ISO 3166-1 alpha-2; may be empty
	IBAN    string
	BIC     string // may be empty
}

// Options sets up a Provider.
type Options struct {
	Folder string // where the files go; it must exist
	Format Format // default: Pain001
	Debtor Debtor // for Pain001
}

// Provider is a payouts.PayoutProvider that writes files. It is safe for
// concurrent use, also by several processes on one folder.
type Provider struct{ o Options }

var _ payouts.PayoutProvider = (*Provider)(nil)

// NewProvider returns a provider. It fails when the folder is not there.
func NewProvider(o Options) (*Provider, error) {
	if o.Format == "" {
		o.Format = Pain001
	}
	if o.Format != Pain001 && o.Format != CSV {
		return nil, fmt.Errorf("bankfile: Options.Format %q must be %q or %q", o.Format, Pain001, CSV)
	}
	if info, err := os.Stat(o.Folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("bankfile: Options.Folder %q must be a folder", o.Folder)
	}
	if o.Format == Pain001 && (o.Debtor.Name == "" || o.Debtor.IBAN == "") {
		return nil, errors.New("bankfile: Options.Debtor needs a name and an IBAN")
	}
	o.Debtor.IBAN = strings.ToUpper(strings.ReplaceAll(o.Debtor.IBAN, " ", ""))
	return &Provider{o}, nil
}

// File returns where the file of a transfer is.
func (p *Provider) File(key string) string {
	extension := ".xml"
	if p.o.Format == CSV {
		extension = ".csv"
	}
	return filepath.Join(p.o.Folder, key+extension)
}

// Pay writes the file of a transfer, whole or not at all. Given again, it
// replaces the file by its like.
func (p *Provider) Pay(ctx context.Context, t payouts.Transfer) ([]payouts.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.Key == "" || strings.ContainsAny(t.Key, `/\.`) {
		return nil, fmt.Errorf("bankfile: the key %q cannot name a file", t.Key)
	}
	if err := p.write(t); err != nil {
		return nil, fmt.Errorf("bankfile: transfer %s: %w", t.Key, err)
	}
	receipts := make([]payouts.Receipt, len(t.Instructions))
	for i, in := range t.Instructions {
		receipts[i] = payouts.Receipt{PaymentID: in.PaymentID, Reference: in.Key}
	}
	return receipts, nil
}

// write goes through a temporary file, so that nobody picks up half a transfer.
func (p *Provider) write(t payouts.Transfer) (err error) {
	file, err := os.CreateTemp(p.o.Folder, ".transfer-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	if err := p.encode(file, t); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), p.File(t.Key)); err != nil {
		return err
	}
	return file.Close()
}

func (p *Provider) encode(w io.Writer, t payouts.Transfer) error {
	if p.o.Format == CSV {
		return WriteCSV(w, t)
	}
	return WritePain001(w, t, p.o.Debtor)
}
