-- Where the days of an advertiser begin and end: an IANA name; empty: UTC.

ALTER TABLE affiliate_advertisers ADD COLUMN time_zone text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE affiliate_advertisers ADD CONSTRAINT affiliate_advertisers_time_zone_check CHECK (char_length(time_zone) <= 64);
