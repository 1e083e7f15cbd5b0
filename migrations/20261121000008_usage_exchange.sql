-- What gateways need to tell each other of usage without reading all of it: which sums changed, who is gone for good, and
-- up to when each has handed in its counts.

alter table quota_usage add column changed_in bigint not null default pg_current_xact_id()::text::bigint;
drop index quota_usage_updated_idx;
-- Not by month: with old statistics the planner would take such an index to look single subscriptions up.
create index quota_usage_changed_idx on quota_usage (changed_in);
comment on column quota_usage.changed_in is 'The transaction that last changed the row. Who has seen all below some xmin asks for what is at or above it and misses nothing, however long a transaction took to commit.';
comment on column quota_usage.boot_id is 'The process that charged; the nil UUID for all those that are gone for good.';

create table quota_folds (
    boot_id uuid primary key,
    at      timestamptz not null default now()
);
comment on table quota_folds is 'Gateway processes of which rows of quota_usage were folded into those of the nil UUID. One that comes back to life takes its own out again.';

alter table gateway_nodes
    add column counted_at timestamptz,
    add column silent_since timestamptz;
comment on column gateway_nodes.counted_at is 'All calls that ended before this are in usage_counters, as far as this process knows.';
comment on column gateway_nodes.silent_since is 'When housekeeping first found it silent; a sign of life takes it back.';
