-- What retention has taken out, and what budgets counted of the clicks that are gone.

-- Add checks what a duplicate repeats, as it checks links: the key would look
-- for duplicates in the whole table for each click that is removed.
ALTER TABLE affiliate_clicks DROP CONSTRAINT affiliate_clicks_repeats_fkey;

-- One row at most, with the id 1.
CREATE TABLE affiliate_retention (
	id               integer PRIMARY KEY,
	clicks_through   uuid NOT NULL,
	clicks_from      date, -- none: all clicks are there
	clicks           bigint NOT NULL,
	entries          bigint NOT NULL,
	visitors_through uuid NOT NULL,
	visitors_from    date, -- none: all visitor keys are there
	events_through   bigint NOT NULL
);

CREATE TABLE affiliate_retained_usage (
	shared_budget_id bigint NOT NULL,
	offer_id         bigint NOT NULL,
	user_id          bigint NOT NULL,
	clicks           bigint NOT NULL,
	spent            bigint NOT NULL,
	CONSTRAINT affiliate_retained_usage_key PRIMARY KEY (shared_budget_id, offer_id, user_id)
);
