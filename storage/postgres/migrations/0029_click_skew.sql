-- How far a click's time and the time in its id lie apart, at most, in milliseconds:
-- with clicks by month, what is asked of a time finds its partitions by this.
CREATE TABLE affiliate_click_skew (
	id     integer PRIMARY KEY,
	ahead  bigint NOT NULL, -- how much later the id may be
	behind bigint NOT NULL  -- how much earlier
);

-- Where clicks are by month already, they are read once; elsewhere none is.
INSERT INTO affiliate_click_skew (id, ahead, behind)
	SELECT 1, greatest(3600000, ceil(max(c.ahead))), greatest(3600000, ceil(max(-c.ahead))) FROM (
		SELECT ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint - extract(epoch FROM at) * 1000 AS ahead FROM affiliate_clicks
			WHERE (SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('affiliate_clicks'))) AS c;
