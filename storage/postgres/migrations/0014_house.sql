-- Usernames and promo codes are compared without regard to case and to how
-- Unicode spells them. The program writes both keys, by affiliate.Fold; rows that
-- are there get theirs from what the database folds alone (A to Z), and the full
-- one when they are written next.

ALTER TABLE affiliate_users ADD COLUMN username_key text COLLATE "C";

-- Of users whose names have become the same the first keeps the name. The others
-- keep a key that no name folds to until they are renamed.
UPDATE affiliate_users AS t SET username_key = CASE WHEN n.place = 1 THEN n.key ELSE n.key || chr(1) || t.id END
FROM (
	SELECT id, lower(normalize(username)) AS key,
		row_number() OVER (PARTITION BY coalesce(client_id, 0), lower(normalize(username)) ORDER BY id) AS place
	FROM affiliate_users
) AS n
WHERE n.id = t.id;

ALTER TABLE affiliate_users ALTER COLUMN username_key SET NOT NULL;
DROP INDEX affiliate_users_username_key;
CREATE UNIQUE INDEX affiliate_users_username_key ON affiliate_users (coalesce(client_id, 0), username_key);

UPDATE affiliate_promo_codes AS t SET key = normalize(t.key)
WHERE t.key IS NOT NFC NORMALIZED
	AND NOT EXISTS (SELECT FROM affiliate_promo_codes AS o WHERE o.catalog_id = t.catalog_id AND o.key = normalize(t.key));
