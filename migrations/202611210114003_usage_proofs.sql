-- That what was allowed, what was metered and what was invoiced are the same, checked every night.

create table usage_proofs (
    id          uuid primary key,
    month       date not null check (extract(day from month) = 1),
    made_at     timestamptz not null default now(),
    allowed     bigint not null,
    metered     bigint not null,
    billable    bigint not null,
    differences jsonb not null check (jsonb_typeof(differences) = 'array')
);
create index usage_proofs_made_idx on usage_proofs (made_at);
comment on table usage_proofs is 'One comparison of the ledgers of a month. differences is [{kind, subscription_id, expected, found}]; none is what should be.';
comment on column usage_proofs.allowed is 'Units that the gateways'' decisions took from quotas and kept.';
comment on column usage_proofs.metered is 'Units of the calls that were counted.';
comment on column usage_proofs.billable is 'Of them, those of live keys: what bills are made from.';
