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
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/uptrace/bun"

	"github.com/affiliatekit/affiliatekit"
	"github.com/affiliatekit/affiliatekit/affiliate"
	"github.com/affiliatekit/affiliatekit/httpadapter"
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

// magazine is the host. The backend and the services are made once.
type magazine struct {
	db      *bun.DB
	backend *postgres.DB
	kit     *affiliatekit.Kit
	author  int64 // the user that links are made for
}

// publish keeps a review and makes the link to what it is about, in one
// transaction of the host. Either both are there afterwards or neither is.
func (m magazine) publish(ctx context.Context, title, shopURL string) (r review, err error) {
	// Serializable, and run again when the database asks for it, as
	// affiliatekit's own units are.
	err = postgres.RunInTx(ctx, m.backend, func(ctx context.Context, tx bun.Tx) error {
		r = review{Title: title}
		link, err := m.convert(ctx, tx, links.Conversion{UserID: m.author, URL: shopURL})
		if err != nil {
			return err
		}
		r.LinkID = link.Link.ID
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return err
	})
	return r, err
}

// convert is affiliatekit inside the host's transaction: the services enter it,
// with the rules that they have compiled already.
func (m magazine) convert(ctx context.Context, tx bun.Tx, c links.Conversion) (links.LinkView, error) {
	backend, err := m.backend.In(tx)
	if err != nil {
		return links.LinkView{}, err
	}
	kit, err := m.kit.In(backend)
	if err != nil {
		return links.LinkView{}, err
	}
	view, _, err := kit.Links.Convert(ctx, c)
	return view, err
}

// handler is the host's own mux, in which the redirect of the links has its place.
func (m magazine) handler() (http.Handler, error) {
	redirect, err := httpadapter.NewRedirect(m.kit.Links, httpadapter.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/c/", redirect)
	mux.HandleFunc("POST /reviews", func(w http.ResponseWriter, r *http.Request) {
		published, err := m.publish(r.Context(), r.FormValue("title"), r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		fmt.Fprintln(w, m.kit.Links.ShortURL(published.LinkID))
	})
	return mux, nil
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
	kit, err := affiliatekit.New(backend, affiliatekit.Options{Links: links.Options{PublicURL: "https://go.example"}})
	if err != nil {
		return magazine{}, err
	}
	m := magazine{db: db, backend: backend, kit: kit}
	const email = "author@magazine.example"
	known, err := kit.Core.MatchUsers(ctx, []affiliate.UserKey{{Email: email}}, 0, 0)
	if err != nil {
		return magazine{}, err
	}
	if known[0].Found {
		m.author = known[0].User.ID
		return m, nil
	}
	_, err1 := kit.Links.RegisterAdvertiser(ctx, links.Registration{
		Domains:    []string{"acme.example"},
		Advertiser: affiliate.Advertiser{Name: "Acme", Country: "SE", Currency: "SEK"},
	})
	author, err2 := kit.Core.CreateUser(ctx, affiliate.User{Username: "magazine", Email: email, VerifiedAt: time.Now()})
	m.author = author.ID
	return m, errors.Join(err1, err2)
}

// count returns how many reviews and links there are.
func (m magazine) count(ctx context.Context) (reviews, published int64, err error) {
	if reviews, err = m.db.NewSelect().Model((*review)(nil)).Count(ctx); err != nil {
		return 0, 0, err
	}
	page, err := m.kit.Links.LinkList(ctx, links.LinkFilter{UserID: m.author}, affiliate.PageRequest{Number: 1, Size: 1})
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
