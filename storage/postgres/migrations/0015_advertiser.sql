-- What the advertiser's API keeps of users, tags and offers.

ALTER TABLE affiliate_users
	ADD COLUMN first_name text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN surname    text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN address    text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN postcode   text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN city       text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN country    text COLLATE "C" NOT NULL DEFAULT '',
	ADD CONSTRAINT affiliate_users_first_name_check CHECK (char_length(first_name) <= 255),
	ADD CONSTRAINT affiliate_users_surname_check CHECK (char_length(surname) <= 255),
	ADD CONSTRAINT affiliate_users_address_check CHECK (char_length(address) <= 255),
	ADD CONSTRAINT affiliate_users_postcode_check CHECK (char_length(postcode) <= 255),
	ADD CONSTRAINT affiliate_users_city_check CHECK (char_length(city) <= 255),
	ADD CONSTRAINT affiliate_users_country_check CHECK (char_length(country) <= 255);

ALTER TABLE affiliate_user_tags
	ADD COLUMN created_at timestamptz;

ALTER TABLE affiliate_offers
	ADD COLUMN visibility      smallint NOT NULL DEFAULT 0,
	ADD COLUMN unlisted        boolean NOT NULL DEFAULT false,
	ADD COLUMN influencer_text text COLLATE "C" NOT NULL DEFAULT '',
	ADD CONSTRAINT affiliate_offers_store_visibility_check CHECK (visibility BETWEEN 0 AND 2),
	ADD CONSTRAINT affiliate_offers_influencer_text_check CHECK (char_length(influencer_text) <= 255);
