-- Ad sync: accounts, what they advertise, and the jobs that bring it in step
-- with the services. Ids come from outside; lists are in the order of
-- (created_at, id).

CREATE TABLE affiliate_sync_accounts (
	id              text COLLATE "C" NOT NULL,
	name            text COLLATE "C" NOT NULL,
	test            boolean NOT NULL,
	fingerprint_key bytea NOT NULL,
	created_at      timestamptz,
	CONSTRAINT affiliate_sync_accounts_id_key PRIMARY KEY (id),
	CONSTRAINT affiliate_sync_accounts_id_check CHECK (char_length(id) BETWEEN 1 AND 64)
);

CREATE TABLE affiliate_sync_ad_accounts (
	account_id      text COLLATE "C" NOT NULL,
	id              text COLLATE "C" NOT NULL, -- the service's own
	record_id       uuid NOT NULL,
	name            text COLLATE "C" NOT NULL,
	service         text COLLATE "C" NOT NULL,
	catalog_id      text COLLATE "C" NOT NULL,
	created_at      timestamptz NOT NULL,
	disconnected_at timestamptz,
	CONSTRAINT affiliate_sync_ad_accounts_id_key PRIMARY KEY (account_id, id),
	CONSTRAINT affiliate_sync_ad_accounts_record_id_key UNIQUE (record_id),
	CONSTRAINT affiliate_sync_ad_accounts_account_id_fkey FOREIGN KEY (account_id) REFERENCES affiliate_sync_accounts (id)
);
CREATE INDEX affiliate_sync_ad_accounts_place_idx ON affiliate_sync_ad_accounts (account_id, created_at, record_id);

CREATE TABLE affiliate_sync_items (
	id                uuid PRIMARY KEY,
	account_id        text COLLATE "C" NOT NULL,
	reference_id      text COLLATE "C" NOT NULL,
	ad_template_type  text COLLATE "C" NOT NULL,
	available         boolean NOT NULL,
	content_language  text COLLATE "C" NOT NULL,
	brand             text COLLATE "C" NOT NULL,
	model             text COLLATE "C" NOT NULL,
	year              integer NOT NULL, -- 0: not told
	condition         text COLLATE "C" NOT NULL,
	title             text COLLATE "C" NOT NULL,
	description       text COLLATE "C" NOT NULL,
	link              text COLLATE "C" NOT NULL,
	images            jsonb NOT NULL, -- [{"url", "order"}]
	custom_attributes jsonb NOT NULL, -- [{"identifier", "label", "value"}]
	price             bigint NOT NULL, -- minor units; 0: none
	currency          text COLLATE "C" NOT NULL,
	fingerprint       text COLLATE "C" NOT NULL,
	sold_out_at       timestamptz,
	created_at        timestamptz NOT NULL,
	updated_at        timestamptz,
	CONSTRAINT affiliate_sync_items_account_id_fkey FOREIGN KEY (account_id) REFERENCES affiliate_sync_accounts (id)
);
CREATE UNIQUE INDEX affiliate_sync_items_reference_id_key ON affiliate_sync_items (account_id, reference_id) WHERE reference_id <> '';
CREATE INDEX affiliate_sync_items_fingerprint_idx ON affiliate_sync_items (account_id, fingerprint, created_at, id) WHERE fingerprint <> '';
CREATE INDEX affiliate_sync_items_place_idx ON affiliate_sync_items (account_id, created_at, id);
CREATE INDEX affiliate_sync_items_type_idx ON affiliate_sync_items (account_id, ad_template_type, created_at, id);

CREATE TABLE affiliate_sync_campaigns (
	id            uuid PRIMARY KEY,
	account_id    text COLLATE "C" NOT NULL,
	ad_account_id text COLLATE "C" NOT NULL,
	service       text COLLATE "C" NOT NULL,
	state         text COLLATE "C" NOT NULL,
	reference_id  text COLLATE "C" NOT NULL,
	title         text COLLATE "C" NOT NULL,
	description   text COLLATE "C" NOT NULL,
	configuration jsonb NOT NULL,
	created_via   text COLLATE "C" NOT NULL,
	created_at    timestamptz NOT NULL,
	updated_at    timestamptz,
	removed_at    timestamptz,
	CONSTRAINT affiliate_sync_campaigns_ad_account_fkey FOREIGN KEY (account_id, ad_account_id) REFERENCES affiliate_sync_ad_accounts (account_id, id),
	CONSTRAINT affiliate_sync_campaigns_state_check CHECK (state IN ('active', 'paused', 'removed'))
);
CREATE UNIQUE INDEX affiliate_sync_campaigns_reference_id_key ON affiliate_sync_campaigns (account_id, reference_id)
	WHERE reference_id <> '' AND state <> 'removed';
CREATE INDEX affiliate_sync_campaigns_place_idx ON affiliate_sync_campaigns (account_id, created_at, id) WHERE state <> 'removed';

CREATE TABLE affiliate_sync_ad_sets (
	id              uuid PRIMARY KEY,
	account_id      text COLLATE "C" NOT NULL,
	campaign_id     uuid NOT NULL,
	ad_account_id   text COLLATE "C" NOT NULL,
	service         text COLLATE "C" NOT NULL,
	state           text COLLATE "C" NOT NULL,
	reference_id    text COLLATE "C" NOT NULL,
	title           text COLLATE "C" NOT NULL,
	bid_cpc         bigint, -- minor units of the ad account's currency
	bid_impressions bigint, -- the same
	configuration   jsonb NOT NULL,
	created_via     text COLLATE "C" NOT NULL,
	created_at      timestamptz NOT NULL,
	updated_at      timestamptz,
	removed_at      timestamptz,
	CONSTRAINT affiliate_sync_ad_sets_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES affiliate_sync_campaigns (id),
	CONSTRAINT affiliate_sync_ad_sets_state_check CHECK (state IN ('active', 'paused', 'removed'))
);
CREATE UNIQUE INDEX affiliate_sync_ad_sets_reference_id_key ON affiliate_sync_ad_sets (account_id, reference_id)
	WHERE reference_id <> '' AND state <> 'removed';
CREATE INDEX affiliate_sync_ad_sets_place_idx ON affiliate_sync_ad_sets (account_id, created_at, id) WHERE state <> 'removed';
CREATE INDEX affiliate_sync_ad_sets_campaign_idx ON affiliate_sync_ad_sets (campaign_id, created_at, id) WHERE state <> 'removed';

CREATE TABLE affiliate_sync_ads (
	id              uuid PRIMARY KEY,
	account_id      text COLLATE "C" NOT NULL,
	ad_set_id       uuid NOT NULL,
	ad_account_id   text COLLATE "C" NOT NULL,
	service         text COLLATE "C" NOT NULL,
	state           text COLLATE "C" NOT NULL,
	reference_id    text COLLATE "C" NOT NULL,
	ad_type         text COLLATE "C" NOT NULL,
	creative        jsonb NOT NULL,
	destination_url text COLLATE "C" NOT NULL,
	item_id         uuid, -- of an autogenerated ad
	template_id     uuid, -- the same; the template may be gone
	held            boolean NOT NULL,
	created_via     text COLLATE "C" NOT NULL,
	created_at      timestamptz NOT NULL,
	updated_at      timestamptz,
	removed_at      timestamptz,
	CONSTRAINT affiliate_sync_ads_ad_set_fkey FOREIGN KEY (ad_set_id) REFERENCES affiliate_sync_ad_sets (id),
	CONSTRAINT affiliate_sync_ads_item_id_key UNIQUE (item_id, template_id),
	CONSTRAINT affiliate_sync_ads_state_check CHECK (state IN ('active', 'paused', 'removed'))
);
CREATE UNIQUE INDEX affiliate_sync_ads_reference_id_key ON affiliate_sync_ads (account_id, reference_id)
	WHERE reference_id <> '' AND state <> 'removed';
CREATE INDEX affiliate_sync_ads_place_idx ON affiliate_sync_ads (account_id, created_at, id) WHERE state <> 'removed';
CREATE INDEX affiliate_sync_ads_ad_set_idx ON affiliate_sync_ads (ad_set_id, created_at, id) WHERE state <> 'removed';

CREATE TABLE affiliate_sync_templates (
	id               uuid PRIMARY KEY,
	account_id       text COLLATE "C" NOT NULL,
	ad_template_type text COLLATE "C" NOT NULL,
	ad_set_id        uuid NOT NULL,
	ad_type          text COLLATE "C" NOT NULL,
	creative         jsonb NOT NULL,
	destination_url  text COLLATE "C" NOT NULL,
	created_at       timestamptz,
	updated_at       timestamptz,
	CONSTRAINT affiliate_sync_templates_ad_template_type_key UNIQUE (ad_set_id, ad_template_type),
	CONSTRAINT affiliate_sync_templates_ad_set_fkey FOREIGN KEY (ad_set_id) REFERENCES affiliate_sync_ad_sets (id)
);
CREATE INDEX affiliate_sync_templates_account_idx ON affiliate_sync_templates (account_id, ad_template_type);

CREATE TABLE affiliate_sync_jobs (
	id            bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	account_id    text COLLATE "C" NOT NULL,
	ad_account_id text COLLATE "C" NOT NULL,
	kind          text COLLATE "C" NOT NULL,
	record_id     uuid NOT NULL,
	parent_id     uuid, -- the record that must be in step first
	version       bigint NOT NULL,
	state         text COLLATE "C" NOT NULL,
	attempts      integer NOT NULL,
	due_at        timestamptz, -- of a leased job: when its lease ends; of a parked one: none
	token         text COLLATE "C" NOT NULL,
	reason        text COLLATE "C" NOT NULL,
	detail        text COLLATE "C" NOT NULL,
	queued_at     timestamptz,
	CONSTRAINT affiliate_sync_jobs_record_id_key UNIQUE (record_id, ad_account_id),
	CONSTRAINT affiliate_sync_jobs_state_check CHECK (state IN ('queued', 'leased', 'parked'))
) WITH (fillfactor = 80);
-- What a lease reads: parked jobs are not in it.
CREATE INDEX affiliate_sync_jobs_due_idx ON affiliate_sync_jobs (due_at, id) WHERE state <> 'parked';
CREATE INDEX affiliate_sync_jobs_account_idx ON affiliate_sync_jobs (account_id, id);

CREATE TABLE affiliate_sync_remotes (
	ad_account_id text COLLATE "C" NOT NULL,
	record_id     uuid NOT NULL,
	kind          text COLLATE "C" NOT NULL,
	remote_id     text COLLATE "C" NOT NULL,
	applied       text COLLATE "C" NOT NULL,
	synced_at     timestamptz,
	CONSTRAINT affiliate_sync_remotes_record_id_key PRIMARY KEY (ad_account_id, record_id)
);
