package sqllint

// Exceptions are what PostgreSQL needs, and what docs/backends.md therefore lists as
// refused elsewhere.
var Exceptions = []Exception{
	{`COLLATE "C"`, `^(CREATE|ALTER) TABLE`, "text sorts by code point whatever the language of the database is; Migrate leaves it out where the database sorts so itself"},
	{`COLLATE "C"`, `und-x-icu`, "a search folds case as Unicode says, which PostgreSQL does by ICU alone"},
	{"index parameters", `affiliate_users_social_idx`, "every serializable reader locks the pending list of a GIN index as a whole, so that it has none"},
	{"COPY and temporary tables", `affiliate_products_feed`, "twice as fast for thousands of products; where there are no temporary tables, or the driver is not pgx, arrays take the place"},
	{"the order of ids", `pg_get_serial_sequence|count\(nextval\(`, "an advertiser that moves here keeps its ids, which the sequence must then not give again; no cursor goes by them"},
	{"partitions", `^ALTER TABLE affiliate_clicks (ATTACH|DETACH) PARTITION|PARTITION BY RANGE \(id\)$`, "clicks by month, which a host asks for with PartitionClicks"},
}
