-- For databases whose changes of rules had the id of their transaction: in others it
-- is all there, by 0002_links.sql.

ALTER TABLE affiliate_url_rule_changes DROP COLUMN IF EXISTS xid;
ALTER TABLE affiliate_url_rule_changes ADD COLUMN IF NOT EXISTS number bigint;
CREATE INDEX IF NOT EXISTS affiliate_url_rule_changes_number_idx ON affiliate_url_rule_changes (number);
CREATE TABLE IF NOT EXISTS affiliate_url_rule_sequence (
	id   integer PRIMARY KEY,
	last bigint NOT NULL
);
INSERT INTO affiliate_url_rule_sequence (id, last) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
