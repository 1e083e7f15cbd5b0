-- What happened, who is told of it by HTTP, and how that went.

create table events (
    id              uuid primary key,
    type            text not null check (length(type) between 1 and 60),
    organization_id uuid references organizations (id),
    api_id          uuid,
    data            jsonb not null check (jsonb_typeof(data) = 'object'),
    once            text unique,
    created_at      timestamptz not null default now()
);
create index events_created_idx on events (created_at);
comment on table events is 'What happened, written in the transaction that made it happen; kept for 30 days. Rows never change.';
comment on column events.organization_id is 'Whose it is; none for what happens to all, like the publication of an API.';
comment on column events.api_id is 'Of which API, where it is one''s: organizations that subscribe to it are told.';
comment on column events.once is 'What it is about, where the same must not be told twice: quota.threshold_reached:<subscription>:<month>:<percent>.';

create table webhooks (
    id               uuid primary key,
    organization_id  uuid references organizations (id),
    url              text not null check (length(url) between 8 and 2000),
    description      text not null default '' check (length(description) <= 200),
    event_types      text[] not null default '{}',
    state            text not null default 'active' check (state in ('active', 'disabled')),
    disabled_because text check (disabled_because in ('asked', 'failing', 'gone')),
    secret_sealed    bytea not null,
    old_secret_sealed bytea,
    old_secret_until timestamptz,
    failing_since    timestamptz,
    version          bigint not null default 1,
    created_at       timestamptz not null default now(),
    check ((state = 'disabled') = (disabled_because is not null)),
    check ((old_secret_sealed is null) = (old_secret_until is null))
);
create index webhooks_organization_idx on webhooks (organization_id, id);
comment on table webhooks is 'Addresses that are told what happens (Standard Webhooks). Without an organization it is the platform''s and is told everything.';
comment on column webhooks.event_types is 'What it wants to be told; everything where empty.';
comment on column webhooks.secret_sealed is 'What deliveries are signed with, sealed under the pepper: it must be had again for every delivery.';
comment on column webhooks.old_secret_sealed is 'After a rotation deliveries carry a second signature by this one until old_secret_until.';
comment on column webhooks.failing_since is 'When the first delivery after the last good one failed; a few days later the webhook is disabled.';
comment on column webhooks.disabled_because is 'asked: somebody switched it off. failing: nothing arrived for days. gone: the receiver answered 410.';

create table webhook_deliveries (
    webhook_id   uuid not null references webhooks (id) on delete cascade,
    event_id     uuid not null references events (id) on delete cascade,
    state        text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
    tries        integer not null default 0 check (tries >= 0),
    run_at       timestamptz not null default now(),
    lease        uuid,
    leased_until timestamptz,
    settled_at   timestamptz,
    primary key (webhook_id, event_id)
);
create index webhook_deliveries_due_idx on webhook_deliveries (webhook_id, run_at) where state = 'pending';
create index webhook_deliveries_event_idx on webhook_deliveries (event_id);
comment on table webhook_deliveries is 'A queue: one row for each event and webhook that is told of it. dead: given up, and kept to be looked at or replayed.';
comment on column webhook_deliveries.tries is 'Of this round: a replay begins a new one.';
comment on column webhook_deliveries.lease is 'Who is sending it. A worker that outlived its lease finds another lease here and changes nothing.';

create table webhook_attempts (
    webhook_id  uuid not null,
    event_id    uuid not null,
    number      integer not null check (number >= 1),
    at          timestamptz not null,
    duration_ms integer not null check (duration_ms >= 0),
    status      integer,
    error       text,
    response    text not null default '',
    primary key (webhook_id, event_id, number),
    foreign key (webhook_id, event_id) references webhook_deliveries (webhook_id, event_id) on delete cascade
);
comment on table webhook_attempts is 'Every time that a delivery was sent, and what came back.';
comment on column webhook_attempts.status is 'What the receiver answered; none where no answer came.';
comment on column webhook_attempts.error is 'Why it did not arrive, in one line.';
comment on column webhook_attempts.response is 'The first 1,000 characters of what the receiver answered.';

do $$
declare
    t text;
begin
    foreach t in array array['events', 'webhooks'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', t);
    end loop;
    foreach t in array array['webhook_deliveries', 'webhook_attempts'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I using (exists (select from webhooks w where w.id = webhook_id
            and w.organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid))', t);
    end loop;
end
$$;
