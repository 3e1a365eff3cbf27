-- The advertiser group whose clients' creators a campaign is for; null: those of all.

ALTER TABLE affiliate_offers
	ADD COLUMN store_group_id bigint,
	ADD CONSTRAINT affiliate_offers_store_group_id_fkey FOREIGN KEY (store_group_id) REFERENCES affiliate_advertiser_groups (id);
