-- Usage lies in partitions of a month each, so that what need not be kept any more goes by dropping a table, and how long
-- each grain is kept is said in one place: usage_keep.

create table usage_keep (
    grain  text primary key check (grain in ('usage_counters', 'usage_hours', 'usage_days')),
    months integer not null check (months >= 2),
    begins date
);
comment on table usage_keep is 'How many whole months of usage are kept beside the present one, by table. Bills, proofs and quotas read minutes of the present month and of the one before, pages hours and days of later ones.';
comment on column usage_keep.begins is 'The first month that was not dropped; null before any was.';
insert into usage_keep (grain, months) values ('usage_counters', 3), ('usage_hours', 12), ('usage_days', 36);

create function usage_month(parent text, month date) returns void language plpgsql as $$
declare
    stray text := parent || '_stray';
    name text := parent || '_' || to_char(month, 'YYYYMM');
    grain text := case parent when 'usage_counters' then 'minute' else 'at' end;
    first timestamptz := month::timestamp at time zone 'UTC';
    next timestamptz := (month + interval '1 month') at time zone 'UTC';
begin
    if to_regclass(name) is not null then
        return;
    end if;
    execute format('create table %I (like %I including all)', name, parent);
    -- A gateway whose clock was ahead may have counted in it already.
    execute format('with moved as (delete from %I where %I >= $1 and %I < $2 returning *) insert into %I select * from moved',
        stray, grain, grain, name) using first, next;
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, name, first, next);
    -- Nobody reads a month past the rules of the whole.
    execute format('alter table %I enable row level security', name);
    execute format('comment on table %I is %L', name, 'One calendar month (UTC) of ' || parent || '.');
end
$$;
comment on function usage_month(text, date) is 'Makes the partition of a month, where it is not there.';

create function usage_months() returns integer language plpgsql set lock_timeout = '3s' as $$
declare
    present date := date_trunc('month', now() at time zone 'UTC')::date;
    kept usage_keep;
    name text;
    dropped integer := 0;
begin
    -- One at a time; and no writer waits for long behind the lock of a drop: the next round comes in ten minutes.
    perform pg_advisory_xact_lock(hashtextextended('usage_months', 0));
    for kept in select * from usage_keep loop
        for i in -1..2 loop
            perform usage_month(kept.grain, (present + i * interval '1 month')::date);
        end loop;
        for name in
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = kept.grain::regclass and c.relname ~ '_\d{6}$'
              and to_date(right(c.relname, 6), 'YYYYMM') < present - kept.months * interval '1 month'
              -- Minutes stay until the month and what came late for it are billed.
              and (kept.grain <> 'usage_counters' or to_date(right(c.relname, 6), 'YYYYMM') < (select max(month) from billing_months))
        loop
            execute format('drop table %I', name);
            update usage_keep k set begins = greatest(k.begins, (to_date(right(name, 6), 'YYYYMM') + interval '1 month')::date)
                where k.grain = kept.grain;
            dropped := dropped + 1;
        end loop;
    end loop;
    return dropped;
end
$$;
comment on function usage_months() is 'Makes the partitions of the month before to two months ahead and drops those that need not be kept; says how many were dropped.';

do $$
declare
    kept usage_keep;
    grain text;
    month date;
begin
    for kept in select * from usage_keep loop
        grain := case kept.grain when 'usage_counters' then 'minute' else 'at' end;
        execute format('alter table %I rename to %I', kept.grain, kept.grain || '_before');
        execute format('create table %I (like %I including all) partition by range (%I)', kept.grain, kept.grain || '_before', grain);
        execute format('comment on table %I is %L', kept.grain, obj_description((kept.grain || '_before')::regclass, 'pg_class'));
        execute format('create table %I partition of %I default', kept.grain || '_stray', kept.grain);
        execute format('comment on table %I is %L', kept.grain || '_stray',
            'Usage of months that have no partition of their own: handed in after theirs was dropped, or by a clock that is ahead.');
        for month in execute format('select distinct date_trunc(''month'', %I at time zone ''UTC'')::date from %I', grain, kept.grain || '_before') loop
            perform usage_month(kept.grain, month);
        end loop;
        execute format('insert into %I select * from %I', kept.grain, kept.grain || '_before');
        execute format('drop table %I', kept.grain || '_before');
        foreach grain in array array[kept.grain, kept.grain || '_stray'] loop
            execute format('alter table %I enable row level security', grain);
        end loop;
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', kept.grain);
    end loop;
    perform usage_months();
end
$$;
comment on table usage_counters is 'Cumulative counts of one gateway process (boot_id) per minute, in partitions of a month (UTC). They only grow: a repeated flush changes nothing. outcome: 1 served, 2 rate limited, 3 quota exceeded, 4 upstream failed, 5 canceled, 6 abandoned.';
comment on table usage_hours is 'Usage by hour (at is its beginning, UTC), in partitions of a month; made again from usage_counters while late counts may come.';
comment on table usage_days is 'Usage by day (at is its beginning, UTC), in partitions of a month; made from usage_hours.';
