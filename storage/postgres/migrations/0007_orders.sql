-- Orders: sales, refunds, vouchers, how they come in, and one-time payments.

-- The valid click that a duplicate repeats, which an order after it is paid by.
ALTER TABLE affiliate_clicks ADD COLUMN repeats uuid;
ALTER TABLE affiliate_clicks ADD CONSTRAINT affiliate_clicks_repeats_fkey FOREIGN KEY (repeats) REFERENCES affiliate_clicks (id);
