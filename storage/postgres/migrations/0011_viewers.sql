-- Whether a creator did something at an advertiser itself: only then its
-- contact data are shown there.
ALTER TABLE affiliate_user_advertisers ADD COLUMN acts boolean NOT NULL DEFAULT false;
UPDATE affiliate_user_advertisers AS t SET acts = true
	WHERE EXISTS (SELECT FROM affiliate_links AS l WHERE l.user_id = t.user_id AND l.advertiser_id = t.advertiser_id);

-- Who wrote a comment, when somebody else has the same name.
ALTER TABLE affiliate_offer_comments ADD COLUMN author_key text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE affiliate_offer_comments ADD CONSTRAINT affiliate_offer_comments_author_key_check CHECK (char_length(author_key) <= 512);
