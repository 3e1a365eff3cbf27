-- What was sent to a service without its result being known, and the service's
-- asynchronous job for it.

ALTER TABLE affiliate_sync_remotes ADD COLUMN sent_at timestamptz;
ALTER TABLE affiliate_sync_remotes ADD COLUMN sent text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE affiliate_sync_remotes ADD COLUMN handle text COLLATE "C" NOT NULL DEFAULT '';
