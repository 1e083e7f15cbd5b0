-- How gateways learn of changes: one revision per transaction, in commit order, and a log of what changed.

create table config_head (
    singleton    boolean primary key default true check (singleton),
    epoch        uuid not null default gen_random_uuid(),
    revision     bigint not null default 0,
    oldest_delta bigint not null default 0
);
insert into config_head default values;
comment on table config_head is 'The current revision. Its row lock orders config transactions, so revisions appear in commit order. A restored backup must be given a new epoch.';

create table config_changes (
    revision   bigint not null,
    kind       text not null check (kind in ('blueprint', 'api', 'consumer')),
    subject_id uuid not null default '00000000-0000-0000-0000-000000000000',
    at         timestamptz not null default now(),
    primary key (revision, kind, subject_id)
);
comment on table config_changes is 'What a revision touched: the API whose row or routes changed, the rest of the blueprint, or the application whose keys or subscriptions changed.';

create function config_changed() returns trigger language plpgsql as $$
declare
    rev bigint := nullif(current_setting('tollgate.revision', true), '')::bigint;
    touched jsonb;
begin
    if tg_op = 'DELETE' then touched := to_jsonb(old); else touched := to_jsonb(new); end if;
    if rev is null then
        update config_head set revision = revision + 1 returning revision into rev;
        perform set_config('tollgate.revision', rev::text, true);
        perform pg_notify('tollgate_config', '');
    end if;
    if tg_argv[0] = 'blueprint' then
        insert into config_changes (revision, kind) values (rev, 'blueprint') on conflict do nothing;
    else
        insert into config_changes (revision, kind, subject_id)
        values (rev, tg_argv[0], (touched ->> tg_argv[1])::uuid) on conflict do nothing;
    end if;
    return null;
end
$$;
comment on function config_changed() is 'Gives the transaction its revision at commit (deferred, so the lock is short) and notes what it touched, for hand-written SQL too.';

do $$
declare
    t text[];
begin
    foreach t slice 1 in array array[
        ['services', 'blueprint', ''], ['targets', 'blueprint', ''], ['products', 'blueprint', ''], ['plans', 'blueprint', ''],
        ['apis', 'api', 'id'], ['routes', 'api', 'api_id'], ['product_apis', 'api', 'api_id'],
        ['subscriptions', 'consumer', 'application_id'], ['credentials', 'consumer', 'application_id']
    ] loop
        execute format('create constraint trigger config_feed_rows after insert or delete on %I
            deferrable initially deferred for each row execute function config_changed(%L, %L)', t[1], t[2], t[3]);
        execute format('create constraint trigger config_feed_updates after update on %I
            deferrable initially deferred for each row when (old.* is distinct from new.*)
            execute function config_changed(%L, %L)', t[1], t[2], t[3]);
    end loop;
    create constraint trigger config_feed_updates after update on applications
        deferrable initially deferred for each row when (old.* is distinct from new.*)
        execute function config_changed('consumer', 'id');
end
$$;

create table gateway_nodes (
    boot_id       uuid primary key,
    name          text not null,
    version       text not null,
    revision      bigint not null,
    state         text not null check (state in ('starting', 'serving', 'draining', 'stopped')),
    last_error    text,
    started_at    timestamptz not null default now(),
    seen_at       timestamptz not null default now()
);
comment on table gateway_nodes is 'Gateway processes: which revision each serves, and what it refused to load.';
