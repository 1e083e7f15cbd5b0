-- Single calls, so that «why was I refused?» has an answer by request id: every refusal, and what else there is room for.

create table request_log (
    id              bigint not null,
    at              timestamptz not null,
    request_id      text not null,
    minted          boolean not null,
    node            uuid not null,
    organization_id uuid,
    application_id  uuid,
    credential_id   uuid,
    subscription_id uuid,
    plan_id         uuid,
    api_id          uuid,
    route_id        uuid,
    method          text,
    host            text,
    path            text,
    status          smallint not null,
    code            text,
    detail          jsonb,
    duration_us     bigint not null,
    upstream_us     bigint,
    bytes_in        bigint not null,
    bytes_out       bigint not null,
    client          inet,
    user_agent      text,
    primary key (at, id)
) partition by range (at);

create index request_log_request_idx on request_log (request_id);
create index request_log_organization_idx on request_log (organization_id, at, id) where organization_id is not null;
create index request_log_application_idx on request_log (application_id, at, id) where application_id is not null;
create index request_log_credential_idx on request_log (credential_id, at, id) where credential_id is not null;
create index request_log_errors_idx on request_log (at, id) where status >= 400;
create index request_log_code_idx on request_log (code, at, id) where code is not null;

comment on table request_log is 'Calls as they ended, one row each: all refusals, other calls up to a rate. Not what is billed: that is usage_counters. Partitioned by UTC day.';
comment on column request_log.id is 'Made by the gateway: tells calls of one microsecond apart, and stores a batch that is sent twice once.';
comment on column request_log.at is 'When the call ended, by the gateway''s clock; a clock that is off by more than a day is not believed.';
comment on column request_log.request_id is 'As in the answer''s X-Request-Id. A caller may choose it, so it need not be unique.';
comment on column request_log.minted is 'Whether the gateway made the request id. Then nobody guesses it, and who shows it has had the answer: a refusal of a caller that is not known is shown to them.';
comment on column request_log.node is 'The gateway process: gateway_nodes.boot_id.';
comment on column request_log.organization_id is 'Whose call it was; null, with the application and key, where the key was missing or unknown.';
comment on column request_log.subscription_id is 'What the call was decided under; null where it did not come so far.';
comment on column request_log.method is 'Null, with host and path, where the head could not be read.';
comment on column request_log.path is 'Without its query, which may hold secrets; the first 512 bytes.';
comment on column request_log.status is 'What the caller saw; 499 where it went away before an answer.';
comment on column request_log.code is 'The problem''s code where the gateway refused or failed; null where the upstream answered.';
comment on column request_log.detail is 'What the refusal was about: the limit and when it opens, the methods there are, the first and last characters of an unknown key.';
comment on column request_log.duration_us is 'Microseconds from the head of the request to the end of the answer.';
comment on column request_log.upstream_us is 'Microseconds from asking the upstream to the head of its answer; null where it gave none.';
comment on column request_log.client is 'Where the call came from: its network (IPv4 /24, IPv6 /48), which says the town and not the house; the whole address only where the operator set TOLLGATE_REQUEST_LOG_ADDRESSES=whole.';
comment on column request_log.user_agent is 'The first 128 bytes of what the caller called its program.';

alter table request_log enable row level security;
create policy tenant on request_log
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);

create function request_log_days(keep integer) returns integer language plpgsql as $$
declare
    today date := (now() at time zone 'UTC')::date;
    day date;
    name text;
    dropped integer := 0;
begin
    -- One at a time; and without waiting for long at a table that calls are just written to.
    perform pg_advisory_xact_lock(hashtextextended('request_log_days', 0));
    for day in select today + i from generate_series(-1, 3) i loop
        name := 'request_log_' || to_char(day, 'YYYYMMDD');
        if to_regclass(name) is null then
            execute format('create table %I partition of request_log for values from (%L) to (%L)', name,
                day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
            -- Nobody reads a day past the rules of the whole.
            execute format('alter table %I enable row level security', name);
            execute format('comment on table %I is %L', name, 'Calls of one UTC day: a partition of request_log.');
        end if;
    end loop;
    for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'request_log'::regclass and c.relname ~ '^request_log_\d{8}$'
          and to_date(right(c.relname, 8), 'YYYYMMDD') < today - keep
    loop
        execute format('drop table %I', name);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$$;
comment on function request_log_days(integer) is 'Makes the partitions of yesterday to three days ahead and drops those older than so many days; says how many were dropped.';
select request_log_days(30);
