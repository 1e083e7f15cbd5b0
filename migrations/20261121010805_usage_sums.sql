-- Sums of usage_counters by hour and by day, so that a page over 90 days reads thousands of rows, not millions.

do $$
declare
    t text;
begin
    foreach t in array array['usage_hours', 'usage_days'] loop
        execute format('create table %I (
            organization_id uuid not null,
            at              timestamptz not null,
            application_id  uuid not null,
            credential_id   uuid not null,
            route_id        uuid not null,
            status          smallint not null,
            outcome         smallint not null,
            calls           bigint not null,
            charged         bigint not null,
            duration_us     bigint not null,
            primary key (organization_id, at, application_id, credential_id, route_id, status, outcome)
        )', t);
        execute format('create index %I on %I (at)', t || '_at_idx', t);
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', t);
    end loop;
end
$$;
comment on table usage_hours is 'Usage by hour (at is its beginning, UTC); made again from usage_counters while late counts may come. Kept for 100 days.';
comment on table usage_days is 'Usage by day (at is its beginning, UTC); made from usage_hours. Kept for three years.';

create table usage_sums (
    singleton boolean primary key default true check (singleton),
    hours_to  timestamptz not null default '-infinity',
    days_to   timestamptz not null default '-infinity',
    deep_at   timestamptz not null default '-infinity'
);
insert into usage_sums default values;
comment on table usage_sums is 'Up to when the sums are made; what is later is read from the finer table.';
comment on column usage_sums.deep_at is 'When the last three days were last summed again, for counts of gateways that had been cut off.';
