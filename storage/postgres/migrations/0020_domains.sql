-- What the owner of an unverified rule's domain has to publish. The rules that are there count as verified.

ALTER TABLE affiliate_url_rules
	ADD COLUMN challenge text COLLATE "C" NOT NULL DEFAULT '',
	ADD CONSTRAINT affiliate_url_rules_challenge_check CHECK (char_length(challenge) <= 64 AND (challenge = '' OR type = 'allow'));
