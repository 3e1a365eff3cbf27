package memory

import (
	"context"

	"github.com/affiliatekit/affiliatekit/links"
	"github.com/affiliatekit/affiliatekit/storage/memory/internal/engine"
)

// linkTables are the tables of package links.
type linkTables struct {
	rules       ruleTable
	ruleChanges ruleChangeTable
	links       linkTable
	clicks      clickTable
	secrets     secretTable
	retained    *engine.Table[links.Retained] // one row at most
	gone        usageTable                    // what budgets counted of clicks that are gone
}

func newLinkTables(db *DB) linkTables {
	return linkTables{
		rules:       newRuleTable(db),
		ruleChanges: newRuleChangeTable(db),
		links:       newLinkTable(db),
		clicks:      newClickTable(db),
		secrets:     newSecretTable(db),
		retained:    engine.NewTable[links.Retained](&db.store),
		gone:        newUsageTable(db),
	}
}

type linksView struct{ view[links.Tx] }

func (v linksView) Record(ctx context.Context, fn func(context.Context, links.Tx) error) error {
	return v.Write(ctx, fn)
}

// linksTx is the transaction of package links.
type linksTx struct{ offersTx }

var _ links.Tx = linksTx{}

func (tx linksTx) Rules() links.RuleRepository                   { return rules{ruleRepo(tx.coreTx)} }
func (tx linksTx) Links() links.LinkRepository                   { return linkRepository(tx.coreTx) }
func (tx linksTx) Clicks() links.ClickRepository                 { return clicks(tx.coreTx) }
func (tx linksTx) VisitorSecrets() links.VisitorSecretRepository { return visitorSecrets(tx.coreTx) }
func (tx linksTx) Retention() links.RetentionRepository          { return retention(tx.coreTx) }
