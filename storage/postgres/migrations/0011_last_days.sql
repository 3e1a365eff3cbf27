-- Whether the end of a campaign or a return ad was given as a date, without a
-- time: it is then printed as that date, whose day is the last one.
ALTER TABLE affiliate_offers ADD COLUMN until_day boolean NOT NULL DEFAULT false;
ALTER TABLE affiliate_return_ads ADD COLUMN until_day boolean NOT NULL DEFAULT false;
