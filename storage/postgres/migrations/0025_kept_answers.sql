-- How many idempotency keys a principal has, at most: the keys are counted anew
-- when this comes to the bound.

CREATE TABLE affiliate_idempotency_totals (
	principal text COLLATE "C" NOT NULL,
	keys      bigint NOT NULL,
	CONSTRAINT affiliate_idempotency_totals_pkey PRIMARY KEY (principal),
	CONSTRAINT affiliate_idempotency_totals_principal_check CHECK (char_length(principal) BETWEEN 1 AND 128)
);

INSERT INTO affiliate_idempotency_totals (principal, keys)
SELECT principal, count(*) FROM affiliate_idempotency_keys GROUP BY principal;
