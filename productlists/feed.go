package productlists

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/affiliatekit/affiliatekit/affiliate"
)

// FeedFormat is how a product feed is written.
type FeedFormat string

// The formats of feeds. Without one in the options the content decides.
const (
	// FeedCSV has a header line that names the columns, in any order: id, name,
	// direct_url, currency, and regular_price or final_price or both; barcode,
	// description, commission_url, image_url, availability, sku, brand,
	// category, and network_ and merchant_ with id, name and logo_url, or the
	// names of a Preset. Columns of other names are skipped. Commas, semicolons,
	// tabs or bars stand between fields.
	FeedCSV FeedFormat = "csv"
	// FeedJSONLines has a JSON object on each line, with the same members;
	// network and merchant are objects, as in the answers of the API.
	FeedJSONLines FeedFormat = "jsonl"
	// FeedJSON is a list of such objects.
	FeedJSON FeedFormat = "json"
	// FeedXML is RSS 2.0 or Atom with the elements of Google Merchant Center.
	FeedXML FeedFormat = "xml"
)

// The bounds of an import.
const (
	MaxFeedLine       = 1 << 20 // bytes of a line, of a CSV record with line breaks in it, or of an item
	MaxFeedRejections = 1_000   // rejections, and notes, that a report keeps; all are counted

	feedBatch      = 5_000   // products in one unit of work
	feedBatchBytes = 4 << 20 // of feed text in one unit of work
)

// ImportOptions sets up an import. The zero options import every feed that says
// itself how it is written, gzip and ZIP files too.
type ImportOptions struct {
	Format    FeedFormat        // default: what the content looks like
	Charset   Charset           // default: what the content looks like
	Delimiter rune              // of FeedCSV: , ; tab or |; default: what the header looks like
	Preset    Preset            // default: the names of all
	Columns   map[string]string // a host's own names for columns: "Artikelnummer" is "id"
	// Currency is of prices that name none, and BaseURL the shop that products
	// without an address are at: "https://shop.example". Feeds of Shopify and
	// WooCommerce have neither.
	Currency affiliate.Currency
	BaseURL  string
	// Full says that the feed has all products of its merchants: those that it
	// no longer has become Unavailable, once every row of it was read; a row that
	// does not say which product it is leaves them all. Products that name no
	// merchant count as one merchant's: of several such feeds none is full.
	// Without it the feed is partial, and says nothing about products that are
	// not in it.
	Full bool
	// Progress is called after each batch is kept, with the numbers so far.
	Progress func(ImportReport)
	// Rejected is called for each line that is not taken, in order.
	Rejected func(Rejection)
	// Noted is called for each line that is taken but not as it stands: an
	// optional field cannot be used, or the id came before.
	Noted func(Rejection)
}

// Rejection is a line of a feed that was not taken, or not as it stands.
type Rejection struct {
	Line   int    // from 1; of a record of several lines the first; in a list of JSON the item's number
	Reason string // names the column
}

// ImportReport counts what became of a feed. Blank lines and the header of a
// CSV feed are not counted; a record of several lines is counted once.
type ImportReport struct {
	Lines      int // read
	Imported   int // kept
	Rejected   int // not taken
	Rejections []Rejection
	Noted      int // kept, but not as they stand
	Notes      []Rejection
	Vanished   int // of a Full import: products that became Unavailable
}

// Import reads a product feed into the product table. It is a stream: memory
// is bounded by a few batches and eight bytes for each product, however long the
// feed is. Lines that are no product are reported and left out, all others are
// kept; a product that is there already is replaced, so importing a feed again
// changes nothing.
//
// A feed is not one unit of work but one for each batch: when it ends with an
// error of the reader or of the store, the report says what was kept until
// then, and importing the feed again completes it. A header that lacks a
// required column is ErrInvalid and nothing is read. Prices are in major units:
// 129.99, "129,99 EUR", "€1.299,00".
//
// The callbacks are called from the calling goroutine.
func (s *Service) Import(ctx context.Context, r io.Reader, o ImportOptions) (report ImportReport, err error) {
	from, err := o.source(s.clock.Now())
	if err != nil {
		return ImportReport{}, err
	}
	feed, done, err := openFeed(r, o, from)
	defer func() { err = errors.Join(err, done()) }()
	if err != nil {
		return ImportReport{}, err
	}
	im := importer{options: o}
	im.keep(ctx, s.store, s.clock)
	defer im.end() // also when a callback panics
	err = im.read(ctx, feed)
	if kept := im.finish(); err == nil || kept != nil {
		err = kept // what the store says comes first: it ended the reading
	}
	if err == nil && o.Full && !im.unread {
		im.report.Vanished, err = s.retire(ctx, &im)
	}
	return im.report, err
}

// source checks the options and is what all rows have in common.
func (o ImportOptions) source(now time.Time) (*source, error) {
	var v affiliate.Validation
	v.Check(o.Preset == "" || slices.Contains(Presets(), o.Preset), "preset", "unknown_preset", "must be one of the presets")
	for _, column := range checkMapping(o.Columns) {
		v.Add("columns", "unknown_column", "must name columns, and "+column+" is none")
	}
	v.Check(o.Delimiter == 0 || strings.ContainsRune(delimiters, o.Delimiter), "delimiter", "unknown_delimiter", "must be a comma, a semicolon, a tab or a bar")
	v.Check(o.Currency == "" || o.Currency.Valid(), "currency", "unknown_currency", "must be an active ISO 4217 code")
	if o.BaseURL != "" {
		validateURL(&v, "base_url", o.BaseURL, true)
	}
	return &source{
		columns: namesOf(o.Preset, o.Columns), currency: o.Currency, baseURL: strings.TrimSuffix(o.BaseURL, "/"), now: now,
	}, v.Err("product_feed")
}

// feed gives the rows of a feed one by one; io.EOF after the last.
type feed interface {
	next() (rowResult, error)
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

	seen      idSet                 // the products of the feed
	refused   idSet                 // of a full import: products of rejected rows, which are in the feed too
	unread    bool                  // a row does not say which product it is: the feed cannot say what is gone
	merchants map[merchant]struct{} // of a full import: whose they are
}

// merchant is whose products a feed has.
type merchant struct {
	network, merchant Party
}

func merchantOf(p *Product) merchant {
	m := merchant{p.Network, p.Merchant}
	m.network.LogoURL, m.merchant.LogoURL = "", ""
	return m
}

// keep starts the goroutine that keeps batches. It ends after finish, or when
// the store fails.
func (im *importer) keep(ctx context.Context, store Store, clock affiliate.Clock) {
	im.batches, im.kept, im.failed = make(chan []Product), make(chan int, 1), make(chan error, 1)
	go func() {
		defer close(im.kept)
		for products := range im.batches {
			if err := store.Write(ctx, func(ctx context.Context, tx Tx) error {
				return putProducts(ctx, tx, clock.Now(), products)
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
		row, err := f.next()
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
		im.look(&row)
		if row.reason != "" {
			im.reject(Rejection{row.line, row.reason})
			if im.report.Rejected%feedBatch == 0 && ctx.Err() != nil { // a feed of bad lines alone keeps no batch
				return affiliate.Unavailable(ctx.Err())
			}
			continue
		}
		if products == nil {
			products = make([]Product, 0, feedBatch)
		}
		products = append(products, row.product)
		if bytes += row.size; len(products) == feedBatch || bytes >= feedBatchBytes {
			if err := im.send(products); err != nil {
				return err
			}
			products, bytes = nil, 0
		}
	}
}

// look notes which product a row is, and tells what of it is not taken. A row
// that is rejected still says that its product is in the feed, where it names one.
func (im *importer) look(row *rowResult) {
	if row.reason != "" {
		if row.product.ID == "" {
			im.unread = true
		} else if im.options.Full {
			im.refused.add(row.product.ID)
		}
		return
	}
	repeated := !im.seen.add(row.product.ID)
	// A party that was dropped is not known to be nobody's.
	partyDropped := slices.ContainsFunc(row.dropped, func(s string) bool { return strings.HasPrefix(s, "merchant") || strings.HasPrefix(s, "network") })
	if im.options.Full && !partyDropped {
		if im.merchants == nil {
			im.merchants = make(map[merchant]struct{})
		}
		im.merchants[merchantOf(&row.product)] = struct{}{}
	}
	if repeated {
		row.dropped = append(row.dropped, "id came before: the last one counts")
	}
	if len(row.dropped) == 0 {
		return
	}
	im.report.Noted++
	note := Rejection{row.line, strings.Join(row.dropped, "; ")}
	if len(im.report.Notes) < MaxFeedRejections {
		im.report.Notes = append(im.report.Notes, note)
	}
	if im.options.Noted != nil {
		im.options.Noted(note)
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
