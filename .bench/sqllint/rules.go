package sqllint

import (
	"fmt"
	"regexp"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"
)

const (
	cockroach = "CockroachDB"
	yugabyte  = "YugabyteDB"
	citus     = "Citus"
	all       = cockroach + ", " + yugabyte + ", " + citus
)

// Rules are the constructs that the lint finds.
var Rules = []Rule{
	{
		Name: "transaction ids", Engines: all,
		Reason: "CockroachDB has no xid8 and no snapshots of ids, YugabyteDB's rows have no xmin, and each node of Citus counts transactions of its own",
		find: func(_ Statement, node proto.Message) string {
			switch n := node.(type) {
			case *pg.FuncCall:
				return matching(transactionID, nameOf(n.Funcname))
			case *pg.TypeName:
				return matching(transactionType, nameOf(n.Names))
			case *pg.ColumnRef:
				return matching(systemColumn, nameOf(n.Fields))
			}
			return ""
		},
	},
	{
		Name: "advisory locks", Engines: all,
		Reason: "CockroachDB lacked them, or let everybody have them, until 26.2, YugabyteDB has them since 2025.1, and on Citus they hold on one node",
		find: func(_ Statement, node proto.Message) string {
			if n, ok := node.(*pg.FuncCall); ok {
				return matching(advisory, nameOf(n.Funcname))
			}
			return ""
		},
	},
	{
		Name: "one statement a step", Engines: cockroach + ", " + yugabyte,
		Reason: "a change of the schema ends when it likes there, not with its transaction: of several statements some remain after a failure",
		find: func(s Statement, node proto.Message) string {
			if n, ok := node.(*pg.ParseResult); ok && s.Migration && len(n.Stmts) != 1 {
				return fmt.Sprintf("%d statements", len(n.Stmts))
			}
			return ""
		},
	},
	{
		Name: `COLLATE "C"`, Engines: cockroach,
		Reason: "text with a collation is another type there, which does not compare with text that has none; and its order is that of bytes anyway",
		find: func(_ Statement, node proto.Message) string {
			if n, ok := node.(*pg.CollateClause); ok {
				return "COLLATE " + nameOf(n.Collname)
			}
			return ""
		},
	},
	{
		Name: "operator classes", Engines: cockroach,
		Reason: "an inverted index has the default class there",
		find: func(_ Statement, node proto.Message) string {
			if n, ok := node.(*pg.IndexElem); ok {
				return nameOf(n.Opclass)
			}
			return ""
		},
	},
	{
		Name: "index parameters", Engines: cockroach + ", " + yugabyte,
		Reason: "neither has PostgreSQL's storage; what they do not know they refuse",
		find: func(_ Statement, node proto.Message) string {
			if n, ok := node.(*pg.IndexStmt); ok && len(n.Options) > 0 {
				return n.Options[0].GetDefElem().GetDefname()
			}
			return ""
		},
	},
	{
		Name: "SKIP LOCKED when serializable", Engines: yugabyte,
		Reason: "it is for READ COMMITTED and REPEATABLE READ there",
		find: func(s Statement, node proto.Message) string {
			if n, ok := node.(*pg.LockingClause); ok && s.Serializable && n.WaitPolicy == pg.LockWaitPolicy_LockWaitSkip {
				return "SKIP LOCKED"
			}
			return ""
		},
	},
	{
		Name: "COPY and temporary tables", Engines: cockroach + ", " + yugabyte,
		Reason: "CockroachDB has temporary tables only where they are turned on, and on YugabyteDB each changes the catalog of the whole cluster",
		find: func(_ Statement, node proto.Message) string {
			switch n := node.(type) {
			case *pg.CopyStmt:
				return "COPY"
			case *pg.RangeVar:
				if n.Relpersistence == "t" {
					return "TEMPORARY " + n.Relname
				}
			}
			return ""
		},
	},
	{
		// A page (id > … ORDER BY id) looks the same whether it is one of a snapshot or a
		// cursor over commits: that no parser sees. These are the ways to write such a cursor
		// down; that nothing is missed is forced by tests with transactions that commit late.
		Name: "the order of ids", Engines: all,
		Reason: "ids are given before the commit, by each node for itself: a younger one may be visible before an older one",
		find: func(_ Statement, node proto.Message) string {
			n, ok := node.(*pg.FuncCall)
			if !ok {
				return ""
			}
			name := nameOf(n.Funcname)
			if name == "max" && len(n.Args) == 1 && strings.HasSuffix("."+nameOf(n.Args[0].GetColumnRef().GetFields()), ".id") {
				return "max(id)"
			}
			return matching(sequence, name)
		},
	},
	{
		Name: "partitions", Engines: cockroach,
		Reason: "a table is partitioned by other words there, and no table is attached to another one",
		find: func(_ Statement, node proto.Message) string {
			switch node.(type) {
			case *pg.PartitionSpec:
				return "PARTITION BY"
			case *pg.PartitionCmd:
				return "ATTACH or DETACH PARTITION"
			}
			return ""
		},
	},
}

var (
	transactionID   = regexp.MustCompile(`^(pg_catalog\.)?(txid_\w+|pg_current_(xact_id|snapshot)\w*|pg_snapshot_\w+|pg_xact_\w+|pg_visible_in_snapshot)$`)
	transactionType = regexp.MustCompile(`^(pg_catalog\.)?(xid8?|pg_snapshot|txid_snapshot)$`)
	systemColumn    = regexp.MustCompile(`(^|\.)(xmin|xmax|cmin|cmax|ctid)$`)
	advisory        = regexp.MustCompile(`advisory`)
	sequence        = regexp.MustCompile(`^(pg_catalog\.)?(nextval|currval|lastval|setval|pg_sequence_last_value|pg_get_serial_sequence)$`)
)

func matching(pattern *regexp.Regexp, name string) string {
	if pattern.MatchString(name) {
		return name
	}
	return ""
}

// nameOf joins a name's parts.
func nameOf(parts []*pg.Node) string {
	var names []string
	for _, p := range parts {
		names = append(names, p.GetString_().GetSval())
	}
	return strings.Join(names, ".")
}
