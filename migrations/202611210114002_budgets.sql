-- Quotas that are kept exactly: what is lent of each to which gateway process, in the customer's time zone, with amounts of
-- a subscription's own.

alter table organizations add column time_zone text not null default 'UTC' check (length(time_zone) between 1 and 64);
comment on column organizations.time_zone is 'IANA name, checked before it is stored; its days and months are those of exact and soft quotas.';

create table budgets (
    subscription_id uuid not null references subscriptions (id) on delete cascade,
    name            text not null,
    starts          timestamptz not null,
    ends            timestamptz not null check (ends > starts),
    amount          bigint not null,
    carried         bigint not null default 0 check (carried >= 0),
    granted         bigint not null default 0,
    primary key (subscription_id, name, starts),
    constraint budgets_never_overdrawn check (granted between 0 and amount)
);
create index budgets_ends_idx on budgets (ends);
comment on table budgets is 'One quota of one subscription in one window of time, made when a gateway first asks. What was used is not here: it is counted from usage_counters.';
comment on column budgets.name is 'The limit''s name in the plan.';
comment on column budgets.amount is 'Units that may be lent: the limit''s amount and what was carried, or what was lent before it was lowered.';
comment on column budgets.carried is 'Of amount, units that the window before left over.';
comment on column budgets.granted is 'Units that gateways were lent and did not hand back; never more than amount.';

create table budget_leases (
    subscription_id uuid not null,
    name            text not null,
    starts          timestamptz not null,
    boot_id         uuid not null,
    granted         bigint not null check (granted >= 0),
    primary key (subscription_id, name, starts, boot_id),
    foreign key (subscription_id, name, starts) references budgets on delete cascade
);
create index budget_leases_boot_idx on budget_leases (boot_id);
comment on table budget_leases is 'Who was lent what. What a process that is gone had not spent is known once its journal was handed in, and is then free again.';

create table limit_overrides (
    subscription_id uuid not null references subscriptions (id) on delete cascade,
    name            text not null check (name ~ '^[a-z0-9_-]{1,32}$'),
    application_id  uuid not null references applications (id),
    organization_id uuid not null references organizations (id),
    amount          bigint not null check (amount between 1 and 1000000000000),
    reason          text not null default '' check (length(reason) <= 500),
    expires_at      timestamptz,
    created_at      timestamptz not null default now(),
    primary key (subscription_id, name)
);
create index limit_overrides_expires_idx on limit_overrides (expires_at);
comment on table limit_overrides is 'Another amount than the plan''s for one limit of one subscription. It holds for whatever plan the subscription is on that has a limit of this name.';
comment on column limit_overrides.expires_at is 'From then on the plan''s amount holds again; a job removes the row, and gateways learn of it.';

do $$
declare
    kind text;
begin
    foreach kind in array array['blueprint', 'consumer'] loop
        execute format('create constraint trigger config_feed_%s_rows after insert or delete on limit_overrides
            deferrable initially deferred for each row execute function config_changed(%L, ''application_id'')', kind, kind);
        execute format('create constraint trigger config_feed_%s_updates after update on limit_overrides
            deferrable initially deferred for each row when (old.* is distinct from new.*)
            execute function config_changed(%L, ''application_id'')', kind, kind);
    end loop;
end
$$;

alter table limit_overrides enable row level security;
create policy tenant on limit_overrides
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
