package postgres

import (
	"context"

	"github.com/affiliatekit/affiliatekit/links"
)

// Links returns the store of package links.
func (db *DB) Links() links.Store {
	return linksView{view[links.Tx]{db, func(u *unit) links.Tx { return linksTx{offersTx{statsTx{coreTx{u}}}} }}}
}

type linksView struct{ view[links.Tx] }

// Record runs fn isolated by the locks that it takes.
func (v linksView) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	return v.run(ctx, recordUnit, fn)
}

// Hosted implements links.HostedStore.
func (v linksView) Hosted() bool { return v.db.hosted() }

// linksTx gives the repositories of links beside those of the core.
type linksTx struct{ offersTx }

var _ links.Tx = linksTx{} // and with it each repository

func (t linksTx) Rules() links.RuleRepository                   { return rules{in(t.coreTx, &ruleTable)} }
func (t linksTx) Links() links.LinkRepository                   { return linkRepository{in(t.coreTx, &linkTable)} }
func (t linksTx) Clicks() links.ClickRepository                 { return clicks{in(t.coreTx, &clickTable)} }
func (t linksTx) VisitorSecrets() links.VisitorSecretRepository { return visitorSecrets(t.coreTx) }
func (t linksTx) Retention() links.RetentionRepository          { return retention(t.coreTx) }
