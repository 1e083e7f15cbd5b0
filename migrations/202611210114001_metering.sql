-- How APIs meter their calls: which are charged, what each costs, which numbers are read from answers.

alter table apis add column metering jsonb not null default '{}' check (jsonb_typeof(metering) = 'object');
comment on column apis.metering is '{charged: ["2xx"], costs: [{method, path, units}], readings: [{meter, json | header}]}, checked before it is stored; {} is the default.';

alter table usage_counters
    add column units bigint not null default 0 check (units >= 0),
    add column reading_1 bigint not null default 0 check (reading_1 >= 0),
    add column reading_2 bigint not null default 0 check (reading_2 >= 0);
update usage_counters set units = charged;
comment on column usage_counters.units is 'Charged calls, each weighted by what its operation cost then: what quotas count.';
comment on column usage_counters.reading_1 is 'Sum of the first number that the API has read from answers; route_readings tells which meter that was.';
comment on column usage_counters.reading_2 is 'Sum of the second number, alike.';
comment on column quota_usage.charged is 'Units of charged calls.';

create table route_readings (
    route_id uuid not null,
    position smallint not null check (position in (1, 2)),
    meter    text,
    since    timestamptz not null,
    primary key (route_id, position, since)
);
comment on table route_readings is 'Which meter the numbers at each position of usage_counters moved, since when; it outlives its route, because bills refer to it.';
comment on column route_readings.meter is 'Null: nothing was read from then on.';

-- Whatever changes metering or adds an operation, the history of readings follows. The first reading of an operation holds
-- from ever, for calls that are counted in the minute in which it was written.
create function note_readings(api uuid) returns void language sql as $$
    insert into route_readings (route_id, position, meter, since)
    select r.id, p.position, a.metering -> 'readings' -> (p.position - 1) ->> 'meter',
        case when known.since is null then '-infinity'::timestamptz else now() end
    from routes r join apis a on a.id = r.api_id
    cross join (values (1::smallint), (2::smallint)) p (position)
    left join lateral (select meter, since from route_readings k where k.route_id = r.id and k.position = p.position
        order by since desc limit 1) known on true
    where r.api_id = api and a.metering -> 'readings' -> (p.position - 1) ->> 'meter' is distinct from known.meter
    on conflict (route_id, position, since) do update set meter = excluded.meter
$$;

create function apis_note_readings() returns trigger language plpgsql as $$
begin
    perform note_readings(new.id);
    return null;
end
$$;
create trigger apis_note_readings after update of metering on apis
    for each row when (old.metering is distinct from new.metering) execute function apis_note_readings();

create function routes_note_readings() returns trigger language plpgsql as $$
begin
    perform note_readings(api_id) from (select distinct api_id from added) a;
    return null;
end
$$;
create trigger routes_note_readings after insert on routes
    referencing new table as added for each statement execute function routes_note_readings();
