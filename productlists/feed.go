package productlists

import (
	"context"
	"errors"
	"io"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// FeedFormat is how a product feed is written.
type FeedFormat string

// The formats of feeds.
const (
	// FeedCSV has a header line that names the columns, in any order: id, name,
	// direct_url, currency, and regular_price or final_price or both; barcode,
	// description, commission_url, image_url, availability, sku, brand,
	// category, and network_ and merchant_ with id, name and logo_url. Columns
	// of other names are skipped.
	FeedCSV FeedFormat = "csv"
	// FeedJSONLines has a JSON object on each line, with the same members;
	// network and merchant are objects, as in the answers of the API.
	FeedJSONLines FeedFormat = "jsonl"
)

// The bounds of an import.
const (
	MaxFeedLine       = 1 << 20 // bytes of a line, or of a CSV record with line breaks in it
	MaxFeedRejections = 1_000   // rejections that a report keeps; all are counted

	feedBatch      = 5_000   // products in one unit of work
	feedBatchBytes = 4 << 20 // of feed text in one unit of work
)

// ImportOptions sets up an import. The zero options import CSV.
type ImportOptions struct {
	Format FeedFormat // default: FeedCSV
	// Progress is called after each batch is kept, with the numbers so far.
	Progress func(ImportReport)
	// Rejected is called for each line that is not taken, in order.
	Rejected func(Rejection)
}

// Rejection is a line of a feed that was not taken.
type Rejection struct {
	Line   int    // from 1; of a record of several lines the first
	Reason string // names the column
}

// ImportReport counts what became of a feed. Blank lines and the header of a
// CSV feed are not counted; a record of several lines is counted once.
type ImportReport struct {
	Lines      int // read
	Imported   int // kept
	Rejected   int // not taken
	Rejections []Rejection
}

// Import reads a product feed into the product table. It is a stream: memory
// is bounded by a few batches, however long the feed is. Lines that are no
// product are reported and left out, all others are kept; a product that is
// there already is replaced, so importing a feed again changes nothing.
//
// A feed is not one unit of work but one for each batch: when it ends with an
// error of the reader or of the store, the report says what was kept until
// then, and importing the feed again completes it. A header that lacks a
// required column is ErrInvalid and nothing is read. Prices are in major units:
// 129.99.
//
// The callbacks are called from the calling goroutine.
func (s *Service) Import(ctx context.Context, r io.Reader, o ImportOptions) (ImportReport, error) {
	feed, err := openFeed(r, o.Format)
	if err != nil {
		return ImportReport{}, err
	}
	im := importer{options: o}
	im.keep(ctx, s.store)
	defer im.end() // also when a callback panics
	err = im.read(ctx, feed)
	if kept := im.finish(); err == nil || kept != nil {
		err = kept // what the store says comes first: it ended the reading
	}
	return im.report, err
}

// feed gives the products of a feed one by one.
type feed interface {
	// next returns a product and the line that it begins on, or why that line
	// is none; io.EOF after the last. size is the length of its text.
	next() (p Product, line, size int, reason string, err error)
}

func openFeed(r io.Reader, format FeedFormat) (feed, error) {
	switch format {
	case "", FeedCSV:
		return newCSVFeed(r)
	case FeedJSONLines:
		return newJSONFeed(r), nil
	}
	return nil, affiliate.Invalid("product_feed", affiliate.FieldError{
		Field: "format", Code: "unknown_format", Message: "must be csv or jsonl"})
}

// importer is one import under way. One goroutine keeps batches while the
// calling one reads the next.
type importer struct {
	options ImportOptions
	report  ImportReport
	batches chan []Product
	kept    chan int // the size of each batch that was kept
	failed  chan error
	ended   bool // no more batches
}

// keep starts the goroutine that keeps batches. It ends after finish, or when
// the store fails.
func (im *importer) keep(ctx context.Context, store Store) {
	im.batches, im.kept, im.failed = make(chan []Product), make(chan int, 1), make(chan error, 1)
	go func() {
		defer close(im.kept)
		for products := range im.batches {
			if err := store.Write(ctx, func(ctx context.Context, tx Tx) error {
				return tx.Products().Put(ctx, products...)
			}); err != nil {
				im.failed <- err
				return
			}
			im.kept <- len(products)
		}
	}()
}

var errStoreFailed = errors.New("productlists: the store refused a batch")

// read reads the feed to its end, or until reading or keeping fails.
func (im *importer) read(ctx context.Context, f feed) error {
	var products []Product
	bytes := 0
	for {
		p, line, size, reason, err := f.next()
		if err != nil {
			if len(products) > 0 {
				if sent := im.send(products); sent != nil {
					return sent
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		im.report.Lines++
		if reason != "" {
			im.reject(Rejection{line, reason})
			if im.report.Rejected%feedBatch == 0 && ctx.Err() != nil { // a feed of bad lines alone keeps no batch
				return affiliate.Unavailable(ctx.Err())
			}
			continue
		}
		if products == nil {
			products = make([]Product, 0, feedBatch)
		}
		products = append(products, p)
		if bytes += size; len(products) == feedBatch || bytes >= feedBatchBytes {
			if err := im.send(products); err != nil {
				return err
			}
			products, bytes = nil, 0
		}
	}
}

func (im *importer) reject(r Rejection) {
	im.report.Rejected++
	if len(im.report.Rejections) < MaxFeedRejections {
		im.report.Rejections = append(im.report.Rejections, r)
	}
	if im.options.Rejected != nil {
		im.options.Rejected(r)
	}
}

// send hands a batch over, once the one before the last is kept.
func (im *importer) send(products []Product) error {
	for {
		select {
		case im.batches <- products:
			return nil
		case n, alive := <-im.kept:
			if !alive {
				return errStoreFailed
			}
			im.progress(n)
		}
	}
}

func (im *importer) progress(n int) {
	im.report.Imported += n
	if im.options.Progress != nil {
		im.options.Progress(im.report)
	}
}

// finish waits for the last batch and returns why keeping failed, if it did.
func (im *importer) finish() error {
	im.ended = true
	close(im.batches)
	for n := range im.kept {
		im.progress(n)
	}
	select {
	case err := <-im.failed:
		return err
	default:
		return nil
	}
}

// end waits for the goroutine, whatever became of the import.
func (im *importer) end() {
	if !im.ended {
		close(im.batches)
	}
	for range im.kept {
	}
}
