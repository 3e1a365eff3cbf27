// Command hosttx shows a host whose own rows and ours commit together. The
// host is a magazine: a review is published with its affiliate link, or not at
// all.
//
//	go run ./examples/hosttx -dsn postgres://user@host/database
//
// It makes the table host_reviews beside affiliatekit's own, publishes one
// review, lets two others fail, one for each side's reasons, and prints what is
// left.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/postgres"
)

func main() {
	dsn := flag.String("dsn", "", "the PostgreSQL database, `postgres://…`")
	flag.Parse()
	if err := run(context.Background(), *dsn, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// review is the host's own row.
type review struct {
	bun.BaseModel `bun:"table:host_reviews"`

	ID     int64  `bun:",pk,autoincrement"`
	Title  string `bun:",unique"`
	LinkID int64
}

// magazine is the host.
type magazine struct {
	db     *bun.DB
	author int64 // the user that links are made for
}

const attempts = 5

// publish keeps a review and makes the link to what it is about, in one
// transaction of the host. Either both are there afterwards or neither is.
func (m magazine) publish(ctx context.Context, title, shopURL string) (r review, err error) {
	// Serializable, as affiliatekit's own units are. Only who begins a
	// transaction can run it again when the database asks for that.
	for range attempts {
		err = m.db.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable}, func(ctx context.Context, tx bun.Tx) error {
			r = review{Title: title}
			link, err := convert(ctx, tx, links.Conversion{UserID: m.author, URL: shopURL})
			if err != nil {
				return err
			}
			r.LinkID = link.Link.ID
			_, err = tx.NewInsert().Model(&r).Exec(ctx)
			return err
		})
		if !again(err) {
			break
		}
	}
	return r, err
}

// again reports whether the database asks to run the transaction once more,
// whoever's statement, or the commit, it said so to.
func again(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && (state.SQLState() == "40001" || state.SQLState() == "40P01")
}

// convert is affiliatekit inside the host's transaction: a backend over tx,
// whose units are savepoints, and the services over that.
func convert(ctx context.Context, tx bun.Tx, c links.Conversion) (links.LinkView, error) {
	backend, err := postgres.New(tx, postgres.Options{})
	if err != nil {
		return links.LinkView{}, err
	}
	kit, err := affiliatekit.New(backend, affiliatekit.Options{Links: links.Options{PublicURL: "https://go.example"}})
	if err != nil {
		return links.LinkView{}, err
	}
	view, _, err := kit.Links.Convert(ctx, c)
	return view, err
}

// open prepares both sides: affiliatekit's tables with an advertiser and an
// author, unless they are there, and the host's own table.
func open(ctx context.Context, db *bun.DB) (magazine, error) {
	if err := postgres.Migrate(ctx, db, postgres.Options{}); err != nil {
		return magazine{}, err
	}
	if _, err := db.NewCreateTable().Model((*review)(nil)).IfNotExists().Exec(ctx); err != nil {
		return magazine{}, err
	}
	backend, err := postgres.New(db, postgres.Options{})
	if err != nil {
		return magazine{}, err
	}
	kit, err := affiliatekit.New(backend, affiliatekit.Options{})
	if err != nil {
		return magazine{}, err
	}
	const email = "author@magazine.example"
	known, err := kit.Core.MatchUsers(ctx, []affiliate.UserKey{{Email: email}}, 0, 0)
	if err != nil {
		return magazine{}, err
	}
	if known[0].Found {
		return magazine{db: db, author: known[0].User.ID}, nil
	}
	_, err1 := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Domains:    []string{"acme.example"},
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"},
	})
	author, err2 := kit.Core.CreateUser(ctx, affiliate.User{Username: "magazine", Email: email, VerifiedAt: time.Now()})
	return magazine{db: db, author: author.ID}, errors.Join(err1, err2)
}

// count returns how many reviews and links there are.
func (m magazine) count(ctx context.Context) (reviews, published int64, err error) {
	if reviews, err = m.db.NewSelect().Model((*review)(nil)).Count(ctx); err != nil {
		return 0, 0, err
	}
	backend, err1 := postgres.New(m.db, postgres.Options{})
	service, err2 := links.NewService(backend.Links(), links.Options{})
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, err
	}
	page, err := service.LinkList(ctx, links.LinkFilter{UserID: m.author}, affiliate.PageRequest{Number: 1, Size: 1})
	return reviews, int64(page.Total), err
}

func run(ctx context.Context, dsn string, out io.Writer) (err error) {
	db, err := postgres.Open(dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := open(ctx, db)
	if err != nil {
		return err
	}
	title := "Shoes, " + time.Now().Format(time.RFC3339Nano)
	for _, try := range []struct{ title, url string }{
		{title, "https://acme.example/shoes?at=" + url.QueryEscape(title)},
		{title, "https://acme.example/boots"},             // the host refuses: the title is taken
		{title + ", again", "https://evil.example/shoes"}, // affiliatekit refuses: nobody's URL
	} {
		r, err := m.publish(ctx, try.title, try.url)
		if err != nil {
			fmt.Fprintf(out, "refused    %v\n", err)
		} else {
			fmt.Fprintf(out, "published  review %d with link %d\n", r.ID, r.LinkID)
		}
	}
	reviews, published, err := m.count(ctx)
	fmt.Fprintf(out, "there are  %d reviews and %d links\n", reviews, published)
	return err
}
