-- Room on the pages of items, so that a change of what no index has touches none
-- of the five indexes.

ALTER TABLE affiliate_sync_items SET (fillfactor = 80);
