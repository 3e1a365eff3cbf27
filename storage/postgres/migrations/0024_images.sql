-- Which images there are and whose: an advertiser's, or of who uploaded them.

CREATE TABLE affiliate_images (
	key           text COLLATE "C" NOT NULL,
	advertiser_id bigint,
	uploader      text COLLATE "C" NOT NULL,
	bytes         bigint NOT NULL,
	created_at    timestamptz,
	unused_since  timestamptz,
	removed       boolean NOT NULL,
	CONSTRAINT affiliate_images_key_key PRIMARY KEY (key),
	CONSTRAINT affiliate_images_advertiser_id_fkey FOREIGN KEY (advertiser_id) REFERENCES affiliate_advertisers (id),
	CONSTRAINT affiliate_images_key_check CHECK (char_length(key) BETWEEN 1 AND 255),
	CONSTRAINT affiliate_images_uploader_check CHECK (char_length(uploader) <= 128),
	CONSTRAINT affiliate_images_bytes_check CHECK (bytes >= 0)
);
CREATE INDEX affiliate_images_advertiser_idx ON affiliate_images (advertiser_id) WHERE advertiser_id IS NOT NULL;
CREATE INDEX affiliate_images_uploader_idx ON affiliate_images (uploader) WHERE advertiser_id IS NULL;
CREATE INDEX affiliate_images_unused_idx ON affiliate_images (unused_since, key) WHERE unused_since IS NOT NULL;
CREATE INDEX affiliate_offers_image_idx ON affiliate_offers (advertiser_id, image_key) WHERE image_key <> '' AND deleted_at IS NULL;
CREATE INDEX affiliate_return_ads_image_idx ON affiliate_return_ads (advertiser_id, image_key) WHERE image_key <> '' AND deleted_at IS NULL;

-- The images that are used now. Their sizes are not known, and those that several
-- advertisers use belong to none: they are never removed.
INSERT INTO affiliate_images (key, advertiser_id, uploader, bytes, created_at, removed)
SELECT image_key, min(advertiser_id), '', 0, now(), false
FROM (SELECT image_key, advertiser_id FROM affiliate_offers UNION SELECT image_key, advertiser_id FROM affiliate_return_ads) AS used
WHERE image_key <> ''
GROUP BY image_key
HAVING count(*) = 1;
