-- Ten million rows of usage by hour, and their sums by day, of 100 organizations over 90 days; the one named by :organization
-- has its share of them. For a migrated database. Variables: organization, application, credential.

set session_replication_role = replica; -- no feed, no audit: this is a stage, not a history
set work_mem = '256MB';
select date_trunc('hour', now()) as till \gset

select usage_month(grain, (date_trunc('month', now() at time zone 'UTC') - make_interval(months => m))::date)
    from (values ('usage_hours'), ('usage_days')) grains (grain), generate_series(0, 4) m;

create temporary table series as
    select case when o = 0 then :'organization'::uuid else gen_random_uuid() end as organization_id,
        case when o = 0 then :'application'::uuid else gen_random_uuid() end as application_id,
        case when o = 0 and k = 0 then :'credential'::uuid else gen_random_uuid() end as credential_id, k, o
    from generate_series(0, 99) o, generate_series(0, 3) k;
create temporary table lines as
    select r.id as route_id, s.status::smallint, s.outcome::smallint, row_number() over () as n
    from (select id from routes order by id limit 4) r,
        (values (200, 1), (404, 1), (429, 2)) s (status, outcome);

insert into usage_hours (organization_id, at, application_id, credential_id, route_id, status, outcome, calls, charged, duration_us)
    select s.organization_id, :'till'::timestamptz - make_interval(hours => h), s.application_id, s.credential_id, l.route_id,
        l.status, l.outcome, 1 + (h * 7 + l.n * 13 + s.k) % 97, 0, 40000 + h % 1000
    from generate_series(0, 2159) h, series s, lines l where (h + l.n + s.o) % 50 < 49
    -- As they lie after hours were made again for calls that came late: three days at a time.
    order by h / 72 desc, 1, 2;
insert into usage_days (organization_id, at, application_id, credential_id, route_id, status, outcome, calls, charged, duration_us)
    select organization_id, date_trunc('day', at, 'UTC'), application_id, credential_id, route_id, status, outcome,
        sum(calls), sum(charged), sum(duration_us)
    from usage_hours group by 1, 2, 3, 4, 5, 6, 7 order by date_trunc('day', at, 'UTC'), 1;
update usage_sums set hours_to = :'till'::timestamptz, days_to = date_trunc('day', :'till'::timestamptz, 'UTC'), deep_at = now();
set session_replication_role = origin;
analyze usage_hours;
analyze usage_days;
