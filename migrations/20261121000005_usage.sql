-- What was called: facts from which quotas, pages and invoices are derived.

create table usage_counters (
    boot_id         uuid not null,
    credential_id   uuid not null,
    subscription_id uuid not null,
    route_id        uuid not null,
    status          smallint not null,
    outcome         smallint not null,
    minute          timestamptz not null,
    calls           bigint not null check (calls >= 0),
    charged         bigint not null check (charged >= 0 and charged <= calls),
    bytes_in        bigint not null check (bytes_in >= 0),
    bytes_out       bigint not null check (bytes_out >= 0),
    duration_us     bigint not null check (duration_us >= 0),
    organization_id uuid,
    application_id  uuid,
    primary key (boot_id, minute, credential_id, subscription_id, route_id, status, outcome)
);
create index usage_counters_organization_idx on usage_counters (organization_id, minute);
create index usage_counters_last_used_idx on usage_counters (credential_id, minute desc);
create index usage_counters_minute_idx on usage_counters (minute);
comment on table usage_counters is 'Cumulative counts of one gateway process (boot_id) per minute. They only grow: a repeated flush changes nothing. outcome: 1 served, 2 rate limited, 3 quota exceeded, 4 upstream failed, 5 canceled, 6 abandoned.';

create table quota_usage (
    subscription_id uuid not null,
    month           date not null check (extract(day from month) = 1),
    boot_id         uuid not null,
    charged         bigint not null check (charged >= 0),
    updated_at      timestamptz not null default now(),
    primary key (month, subscription_id, boot_id)
);
create index quota_usage_updated_idx on quota_usage (updated_at);
comment on table quota_usage is 'Charged calls per subscription, calendar month (UTC) and gateway process: the sum that a quota is compared with, kept in the transaction that writes usage_counters.';
