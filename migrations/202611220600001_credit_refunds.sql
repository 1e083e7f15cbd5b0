-- Money of bought credits that goes back the way it came.

alter table checkouts add column payment_ref text;
comment on column checkouts.payment_ref is 'What the provider calls the payment that was made on the visit.';

create table credit_refunds (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    grant_id        uuid not null references credit_entries (id),
    amount_minor    bigint not null check (amount_minor > 0),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    state           text not null default 'pending' check (state in ('pending', 'done', 'failed')),
    provider_ref    text unique,
    note            text not null check (length(note) <= 500),
    created_at      timestamptz not null default now(),
    settled_at      timestamptz
);
create index credit_refunds_organization_idx on credit_refunds (organization_id, created_at);
create index credit_refunds_grant_idx on credit_refunds (grant_id);
comment on table credit_refunds is 'Credits that were bought, taken back, and whose money the provider is asked to pay back. The entry in the ledger is written first; where the provider fails, another one gives the credits again.';
comment on column credit_refunds.grant_id is 'The grant that was bought.';
comment on column credit_refunds.provider_ref is 'What the provider calls it, once it was asked.';
comment on column credit_refunds.settled_at is 'When the provider said what became of it.';

alter table credit_refunds enable row level security;
create policy tenant on credit_refunds
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
