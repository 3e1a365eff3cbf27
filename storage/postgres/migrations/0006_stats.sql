-- Statistics: one table of daily roll-ups for all that is counted, instead of
-- one of links and one of offers.

-- A row belongs to one level: 1 advertiser, 2 campaign, 3 creator, 4 link,
-- 5 return ad. Ids that the level does not have are 0. A question reads one
-- level by one of the indexes below; no event changes an indexed column, so
-- that updates stay within their page.
CREATE TABLE affiliate_stats (
	level           smallint NOT NULL,
	advertiser_id   bigint NOT NULL,
	date            date NOT NULL,
	offer_id        bigint NOT NULL,
	user_id         bigint NOT NULL,
	link_id         bigint NOT NULL,
	ad_id           bigint NOT NULL,
	source          smallint NOT NULL,
	views           bigint NOT NULL,
	clicks          bigint NOT NULL,
	duplicates      bigint NOT NULL,
	bots            bigint NOT NULL,
	blocked         bigint NOT NULL,
	capped          bigint NOT NULL,
	readers         bigint NOT NULL,
	orders          bigint NOT NULL,
	order_value     bigint NOT NULL, -- minor units of the advertiser's currency, as all money here
	click_earning   bigint NOT NULL,
	click_cost      bigint NOT NULL,
	order_earning   bigint NOT NULL,
	order_cost      bigint NOT NULL,
	payments        bigint NOT NULL,
	payment_earning bigint NOT NULL,
	payment_cost    bigint NOT NULL,
	CONSTRAINT affiliate_stats_key PRIMARY KEY (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source)
) WITH (fillfactor = 70);
CREATE INDEX affiliate_stats_campaign_idx ON affiliate_stats (offer_id, date) WHERE level = 2;
CREATE INDEX affiliate_stats_participant_idx ON affiliate_stats (offer_id, user_id, date) WHERE level = 3 AND offer_id <> 0;
CREATE INDEX affiliate_stats_creator_idx ON affiliate_stats (user_id, date) WHERE level = 3;
CREATE INDEX affiliate_stats_link_idx ON affiliate_stats (link_id, date) WHERE level = 4;
CREATE INDEX affiliate_stats_ad_idx ON affiliate_stats (ad_id, date) WHERE level = 5;

-- Who came to a campaign on one day; kept for two days, as long as visitors can
-- be told apart.
CREATE TABLE affiliate_stats_readers (
	offer_id bigint NOT NULL,
	date     date NOT NULL,
	reader   bytea NOT NULL,
	CONSTRAINT affiliate_stats_readers_key PRIMARY KEY (offer_id, date, reader)
);
CREATE INDEX affiliate_stats_readers_date_idx ON affiliate_stats_readers (date);

-- The old roll-ups knew neither links nor sources: all levels are counted anew,
-- and so are the readers of the last two days.
INSERT INTO affiliate_stats_readers (offer_id, date, reader)
SELECT DISTINCT offer_id, (at AT TIME ZONE 'UTC')::date, visitor FROM affiliate_clicks
WHERE verdict = 'valid' AND offer_id <> 0 AND at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 day';

WITH events AS (
	SELECT advertiser_id, (at AT TIME ZONE 'UTC')::date AS date, offer_id, user_id, link_id, source,
		count(*) FILTER (WHERE verdict = 'valid') AS clicks, count(*) FILTER (WHERE verdict = 'duplicate') AS duplicates,
		count(*) FILTER (WHERE verdict = 'bot') AS bots, count(*) FILTER (WHERE verdict = 'blocked') AS blocked,
		count(*) FILTER (WHERE verdict = 'capped') AS capped, sum(earning) AS click_earning, sum(cost) AS click_cost,
		0 AS payments, 0 AS payment_earning, 0 AS payment_cost
	FROM affiliate_clicks
	GROUP BY 1, 2, 3, 4, 5, 6
	UNION ALL -- clicks that were taken back
	SELECT c.advertiser_id, (c.at AT TIME ZONE 'UTC')::date, c.offer_id, c.user_id, c.link_id, c.source, -1, 0, 0, 0, 0, -c.earning, -c.cost, 0, 0, 0
	FROM affiliate_entries AS e JOIN affiliate_clicks AS c ON c.id = substr(e.cause, 16)::uuid
	WHERE e.cause LIKE 'reversal:click:%'
	UNION ALL -- payments, and what was taken back of them, on the day of the payment
	SELECT o.advertiser_id, (o.occurred_at AT TIME ZONE 'UTC')::date, coalesce((o.terms::json ->> 'offer_id')::bigint, 0), substr(o.account, 6)::bigint, 0, 0,
		0, 0, 0, 0, 0, 0, 0, CASE WHEN e.id = o.id THEN 1 ELSE 0 END, e.earning, e.cost
	FROM affiliate_entries AS o JOIN affiliate_entries AS e ON e.id = o.id OR e.reverses = o.id
	WHERE o.kind IN ('participation', 'one_time') AND o.account LIKE 'user:%'
), rows AS (
	SELECT l.level, e.advertiser_id, e.date, CASE WHEN l.level > 1 THEN e.offer_id ELSE 0 END AS offer_id, CASE WHEN l.level > 2 THEN e.user_id ELSE 0 END AS user_id,
		CASE WHEN l.level > 3 THEN e.link_id ELSE 0 END AS link_id, e.source, e.clicks, e.duplicates, e.bots, e.blocked, e.capped, 0 AS readers,
		e.click_earning, e.click_cost, e.payments, e.payment_earning, e.payment_cost
	FROM events AS e JOIN (VALUES (1), (2), (3), (4)) AS l (level)
		ON l.level IN (1, 3) OR l.level = 2 AND e.offer_id <> 0 OR l.level = 4 AND e.link_id <> 0
	UNION ALL
	SELECT 2, advertiser_id, (at AT TIME ZONE 'UTC')::date, offer_id, 0, 0, 0, 0, 0, 0, 0, 0, count(DISTINCT visitor), 0, 0, 0, 0, 0
	FROM affiliate_clicks WHERE verdict = 'valid' AND offer_id <> 0
	GROUP BY advertiser_id, (at AT TIME ZONE 'UTC')::date, offer_id
)
INSERT INTO affiliate_stats (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source, views, clicks, duplicates, bots, blocked, capped, readers,
	orders, order_value, click_earning, click_cost, order_earning, order_cost, payments, payment_earning, payment_cost)
SELECT level, advertiser_id, date, offer_id, user_id, link_id, 0, source, 0, sum(clicks)::bigint, sum(duplicates)::bigint, sum(bots)::bigint, sum(blocked)::bigint,
	sum(capped)::bigint, sum(readers)::bigint, 0, 0, sum(click_earning)::bigint, sum(click_cost)::bigint, 0, 0,
	sum(payments)::bigint, sum(payment_earning)::bigint, sum(payment_cost)::bigint
FROM rows GROUP BY level, advertiser_id, date, offer_id, user_id, link_id, source;

-- Of return ads only the sums were kept: they count on the day of the ad.
INSERT INTO affiliate_stats (level, advertiser_id, date, offer_id, user_id, link_id, ad_id, source, views, clicks, duplicates, bots, blocked, capped, readers,
	orders, order_value, click_earning, click_cost, order_earning, order_cost, payments, payment_earning, payment_cost)
SELECT 5, advertiser_id, (coalesce(created_at, now()) AT TIME ZONE 'UTC')::date, 0, 0, 0, id, 0, views, clicks, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM affiliate_return_ads WHERE views <> 0 OR clicks <> 0;

DROP TABLE affiliate_click_days;
DROP TABLE affiliate_offer_days;
