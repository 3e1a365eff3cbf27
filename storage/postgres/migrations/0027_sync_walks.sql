-- What a lease for one ad account reads, and what tells when its next job is due.
CREATE INDEX affiliate_sync_jobs_ad_account_idx ON affiliate_sync_jobs (ad_account_id, due_at, id) WHERE state <> 'parked';

-- In its place: each index is written with every lease, and lists go by id.
DROP INDEX affiliate_sync_jobs_account_idx;

-- The jobs that wait for a parent to come to its service.
CREATE INDEX affiliate_sync_jobs_parent_idx ON affiliate_sync_jobs (parent_id, ad_account_id) WHERE parent_id IS NOT NULL;
