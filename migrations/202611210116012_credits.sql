-- Credits: money that was paid in advance. A ledger that is only written to, and what is set apart for use under way.

create table credit_accounts (
    organization_id uuid not null references organizations (id),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    balance_minor   bigint not null default 0,
    held_minor      bigint not null default 0,
    primary key (organization_id, currency),
    constraint credits_never_overrun check (held_minor between 0 and balance_minor)
);
comment on table credit_accounts is 'Sums that triggers keep: no code can hold or use more than there is.';
comment on column credit_accounts.balance_minor is 'The sum of the entries.';
comment on column credit_accounts.held_minor is 'The sum of the holds.';

create table credit_entries (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    kind            text not null check (kind in ('grant', 'use', 'expiry', 'refund')),
    amount_minor    bigint not null,
    grant_id        uuid references credit_entries (id),
    expires_at      timestamptz,
    invoice_id      uuid references invoices (id),
    note            text not null default '' check (length(note) <= 500),
    at              timestamptz not null default now(),
    check ((kind = 'grant') = (grant_id is null)),
    check (case when kind = 'grant' then amount_minor > 0 else amount_minor < 0 end),
    check (expires_at is null or kind = 'grant'),
    check ((kind = 'use') = (invoice_id is not null))
);
create index credit_entries_account_idx on credit_entries (organization_id, currency, at);
create index credit_entries_grant_idx on credit_entries (grant_id);
create index credit_entries_expires_idx on credit_entries (expires_at) where expires_at is not null;
comment on table credit_entries is 'Every movement of credits. Rows are never changed.';
comment on column credit_entries.amount_minor is 'Above 0 for grants, below for what is taken from one.';
comment on column credit_entries.grant_id is 'The grant that it is taken from.';
comment on column credit_entries.expires_at is 'Of grants: what is left then, and is not used already, is lost.';
comment on column credit_entries.invoice_id is 'The invoice that it paid.';

create table credit_holds (
    subscription_id uuid not null references subscriptions (id) on delete cascade,
    month           date not null check (extract(day from month) = 1),
    organization_id uuid not null references organizations (id),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor    bigint not null check (amount_minor >= 0),
    primary key (subscription_id, month)
);
create index credit_holds_organization_idx on credit_holds (organization_id, currency);
comment on table credit_holds is 'What is set apart of an account for the calls of one subscription in one month, until its invoice is written. Gateways are lent no more calls than this pays for.';

create function credits_are_kept() returns trigger language plpgsql as $$
begin
    raise exception 'entries of credits are never changed' using errcode = '23514', constraint = 'credit_entries_kept';
end
$$;
create trigger credits_are_kept before update or delete on credit_entries
    for each row execute function credits_are_kept();

create function credits_are_counted() returns trigger language plpgsql as $$
begin
    if new.grant_id is not null and (select sum(amount_minor) from credit_entries where id = new.grant_id or grant_id = new.grant_id) < 0 then
        raise exception 'a grant has no more than it was given' using errcode = '23514', constraint = 'credits_never_overrun';
    end if;
    insert into credit_accounts (organization_id, currency) values (new.organization_id, new.currency) on conflict do nothing;
    update credit_accounts set balance_minor = balance_minor + new.amount_minor
        where organization_id = new.organization_id and currency = new.currency;
    return null;
end
$$;
create trigger credits_are_counted after insert on credit_entries
    for each row execute function credits_are_counted();

create function holds_are_counted() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        update credit_accounts set held_minor = held_minor - old.amount_minor
            where organization_id = old.organization_id and currency = old.currency;
    end if;
    if tg_op <> 'DELETE' then
        update credit_accounts set held_minor = held_minor + new.amount_minor
            where organization_id = new.organization_id and currency = new.currency;
        if not found and new.amount_minor > 0 then
            raise exception 'there are no credits to hold' using errcode = '23514', constraint = 'credits_never_overrun';
        end if;
    end if;
    return null;
end
$$;
create trigger holds_are_counted after insert or update or delete on credit_holds
    for each row execute function holds_are_counted();

do $$
declare
    t text;
begin
    foreach t in array array['credit_accounts', 'credit_entries', 'credit_holds'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', t);
    end loop;
end
$$;
