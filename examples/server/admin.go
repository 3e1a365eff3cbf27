package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

const adminUsage = `server admin brings a database to its first click. It makes what is not there, and
leaves alone what is: running it again changes nothing.

	server admin apply      -dsn DSN seed.json     everything in a file; - is standard input
	server admin token      -dsn DSN -role admin -subject operator
	server admin advertiser -dsn DSN -name Acme -domain acme.example -country SE -currency SEK -cpc 0.10
	server admin client     -dsn DSN -id magazine -name Magazine -revenue-share 0.8
	server admin user       -dsn DSN -username anna -email anna@example.com -approved

Tables are brought up to date first. It prints one line of JSON: the ids, what was
created, and the secrets of that, which nobody can read again. The seed file has
the form of type seed in seed.go. The flags of a command are listed by -h.
`

// admin is the program for "server admin …"; it returns the exit status.
func admin(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "help" {
		fmt.Fprint(stderr, adminUsage)
		return 2
	}
	dsn, s, err := parseAdmin(args[0], args[1:], stdin, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "server admin:", err)
		return 2
	}
	result, err := applySeed(ctx, dsn, s)
	if err == nil {
		err = json.NewEncoder(stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(stderr, "server admin:", err)
		return 1
	}
	return 0
}

// parseAdmin reads a command as the seed that does the same.
func parseAdmin(command string, args []string, stdin io.Reader, stderr io.Writer) (dsn string, s seed, err error) {
	flags := flag.NewFlagSet("server admin "+command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&dsn, "dsn", "", "the PostgreSQL database, `postgres://…`")
	var build func() error
	switch command {
	case "apply":
		build = func() error {
			if flags.NArg() != 1 {
				return errors.New("apply takes one seed file, or - for standard input")
			}
			s, err = readSeed(flags.Arg(0), stdin)
			return err
		}
	case "token":
		build = tokenFlags(flags, &s)
	case "advertiser":
		build = advertiserFlags(flags, &s)
	case "client":
		c := &seedClient{}
		flags.StringVar(&c.ClientID, "id", "", "the client_id, which the client is found by")
		flags.StringVar(&c.Name, "name", "", "the name")
		flags.TextVar(&c.RevenueShare, "revenue-share", affiliate.Rate{}, "its share of what its users earn, 0 to 1")
		build = func() error { s.Clients = []seedClient{*c}; return nil }
	case "user":
		u := &seedUser{}
		flags.StringVar(&u.Username, "username", "", "the username, which the user is found by within its client")
		flags.StringVar(&u.Email, "email", "", "the e-mail address")
		flags.StringVar(&u.Client, "client", "", "the client_id of its client")
		flags.BoolVar(&u.Approved, "approved", false, "approve the user")
		build = func() error { s.Users = []seedUser{*u}; return nil }
	default:
		return "", s, fmt.Errorf("unknown command %q; see server admin -h", command)
	}
	if err := flags.Parse(args); err != nil {
		return "", s, err
	}
	if dsn == "" {
		return "", s, errors.New("-dsn is required: a database in memory ends with this command")
	}
	if command != "apply" && flags.NArg() > 0 {
		return "", s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return dsn, s, build()
}

// tokenFlags are the flags of "server admin token".
func tokenFlags(flags *flag.FlagSet, s *seed) func() error {
	t := &seedToken{}
	flags.StringVar((*string)(&t.Role), "role", "", "admin, representative, agency, creator, client, partner, lists, sync or service")
	flags.StringVar(&t.Subject, "subject", "", "the account within its role; not for creators and clients")
	flags.StringVar(&t.Name, "name", "", "what a person calls the token")
	flags.StringVar(&t.User, "user", "", "a creator's username")
	flags.StringVar(&t.Client, "client", "", "the client_id of a client, or of a creator's client")
	advertisers := flags.String("advertisers", "", "the `names` of the advertisers that a representative or an agency acts for, with commas between")
	return func() error {
		t.Advertisers = list(*advertisers)
		s.Tokens = []seedToken{*t}
		return nil
	}
}

// advertiserFlags are the flags of "server admin advertiser".
func advertiserFlags(flags *flag.FlagSet, s *seed) func() error {
	a := &seedAdvertiser{}
	flags.StringVar(&a.Name, "name", "", "the name, which the advertiser is found by")
	domains := flags.String("domain", "", "its `domains`, with commas between; the first is the main one")
	flags.StringVar(&a.Country, "country", "", "two letters, such as SE")
	flags.StringVar((*string)(&a.Currency), "currency", "", "three letters, such as SEK")
	flags.StringVar(&a.Language, "language", "", "two letters, such as sv")
	cpc := flags.String("cpc", "", "what a click earns, in major units: 0.10")
	invoiceCPC := flags.String("invoice-cpc", "", "what a click costs the advertiser, in major units")
	cpa := flags.String("cpa", "", "what an order earns, as a fraction of its value: 0.05")
	invoiceCPA := flags.String("invoice-cpa", "", "what an order costs the advertiser, as a fraction of its value")
	return func() error {
		a.Domains = list(*domains)
		for _, f := range []struct {
			name, text string
			to         *affiliate.Optional[affiliate.Money]
		}{{"-cpc", *cpc, &a.CPC}, {"-invoice-cpc", *invoiceCPC, &a.InvoiceCPC}} {
			if f.text == "" {
				continue
			}
			m, err := affiliate.ParseMoney(f.text, a.Currency)
			if err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			*f.to = affiliate.Some(m)
		}
		for _, f := range []struct {
			name, text string
			to         *affiliate.Optional[affiliate.Rate]
		}{{"cpa", *cpa, &a.CPA}, {"invoice_cpa", *invoiceCPA, &a.InvoiceCPA}} {
			if f.text == "" {
				continue
			}
			r, err := affiliate.ParseRate(f.name, f.text)
			if err != nil {
				return err
			}
			*f.to = affiliate.Some(r)
		}
		s.Advertisers = []seedAdvertiser{*a}
		return nil
	}
}

// list splits a text at its commas.
func list(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// maxSeed bounds a seed file, in bytes.
const maxSeed = 10 << 20

// readSeed reads a file strictly: what it does not know is a mistake of whoever
// wrote it.
func readSeed(path string, stdin io.Reader) (s seed, err error) {
	from := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return s, err
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxSeed+1))
	if err != nil {
		return s, err
	}
	if len(text) > maxSeed {
		return s, fmt.Errorf("%s: a seed has at most %d bytes", path, maxSeed)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return s, fmt.Errorf("%s: a seed is one JSON object", path)
	}
	return s, nil
}

// applySeed brings the seed into a database, in one transaction.
func applySeed(ctx context.Context, dsn string, s seed) (seedResult, error) {
	handle, err := postgres.Open(dsn)
	if err != nil {
		return seedResult{}, fmt.Errorf("-dsn: %w", err)
	}
	defer func() { _ = handle.Close() }() // everything is committed by then
	if err := postgres.Migrate(ctx, handle, postgres.Options{}); err != nil {
		return seedResult{}, err
	}
	db, err := postgres.New(handle, postgres.Options{})
	if err != nil {
		return seedResult{}, err
	}
	kit, err := affiliatekit.New(db, affiliatekit.Options{})
	if err != nil {
		return seedResult{}, err
	}
	var sown seedResult
	err = postgres.RunInTx(ctx, db, func(ctx context.Context, tx bun.Tx) error {
		backend, err := db.In(tx)
		if err != nil {
			return err
		}
		in, err := kit.In(backend)
		if err != nil {
			return err
		}
		sower := &seedSower{kit: in, tokens: backend.Identity(), out: newSeedResult()} // anew: the transaction may run again
		if err := sower.sow(ctx, s); err != nil {
			return err
		}
		sown = sower.out
		return nil
	})
	return sown, err
}
