-- What plans charge, on which terms who uses them since when, and the bills.

create table tariffs (
    plan_id    uuid not null references plans (id) on delete cascade,
    number     integer not null check (number >= 1),
    terms      jsonb not null check (jsonb_typeof(terms) = 'object'),
    created_at timestamptz not null default now(),
    primary key (plan_id, number)
);
comment on table tariffs is 'Every price that a plan ever had. Rows never change: whoever subscribed keeps the number that was the highest then.';
comment on column tariffs.terms is '{currency, base_minor, meters, minimum_minor}, checked before it is stored.';

-- A plan's base fee is written in the plan; however it gets there, it begins a new tariff.
create function plans_keep_tariff() returns trigger language plpgsql as $$
declare
    latest tariffs;
begin
    select * into latest from tariffs where plan_id = new.id order by number desc limit 1;
    if latest.terms ->> 'currency' <> new.price_currency and jsonb_array_length(latest.terms -> 'meters') > 0 then
        raise exception 'usage of this plan is priced in another currency'
            using errcode = '23514', constraint = 'tariffs_one_currency';
    end if;
    if latest.terms ->> 'currency' = new.price_currency and (latest.terms ->> 'base_minor')::bigint = new.price_minor then
        return null;
    end if;
    insert into tariffs (plan_id, number, terms) values (new.id, coalesce(latest.number, 0) + 1,
        coalesce(latest.terms, '{"meters": [], "minimum_minor": 0}')
            || jsonb_build_object('currency', new.price_currency, 'base_minor', new.price_minor));
    return null;
end
$$;
create trigger plans_keep_tariff after insert or update of price_minor, price_currency on plans
    for each row execute function plans_keep_tariff();
insert into tariffs (plan_id, number, terms)
    select id, 1, jsonb_build_object('currency', price_currency, 'base_minor', price_minor, 'meters', '[]'::jsonb, 'minimum_minor', 0)
    from plans;

create table subscription_terms (
    subscription_id uuid not null references subscriptions (id) on delete cascade,
    organization_id uuid not null references organizations (id),
    plan_id         uuid not null,
    tariff          integer not null,
    begins          timestamptz not null,
    ends            timestamptz,
    primary key (subscription_id, begins),
    foreign key (plan_id, tariff) references tariffs (plan_id, number),
    check (ends is null or ends >= begins)
);
create unique index subscription_terms_one_open on subscription_terms (subscription_id) where ends is null;
create index subscription_terms_organization_idx on subscription_terms (organization_id, begins);
create index subscription_terms_tariff_idx on subscription_terms (plan_id, tariff);
comment on table subscription_terms is 'When a subscription was active, on which plan and at which of its tariffs: what it is billed by.';

-- Terms follow the subscription, however it is changed. Back on a plan it is back on the tariff it had there.
create function subscriptions_keep_terms() returns trigger language plpgsql as $$
begin
    update subscription_terms set ends = now()
        where subscription_id = new.id and ends is null and (new.state <> 'active' or plan_id <> new.plan_id);
    if new.state = 'active' then
        insert into subscription_terms (subscription_id, organization_id, plan_id, tariff, begins)
            select new.id, new.organization_id, new.plan_id, coalesce(
                (select tariff from subscription_terms where subscription_id = new.id and plan_id = new.plan_id
                 order by begins desc limit 1),
                (select max(number) from tariffs where plan_id = new.plan_id)), now()
            where not exists (select from subscription_terms where subscription_id = new.id and ends is null)
        on conflict (subscription_id, begins) do update
            set plan_id = excluded.plan_id, tariff = excluded.tariff, ends = null;
    end if;
    return null;
end
$$;
create trigger subscriptions_keep_terms after insert or update of state, plan_id on subscriptions
    for each row execute function subscriptions_keep_terms();
insert into subscription_terms (subscription_id, organization_id, plan_id, tariff, begins)
    select id, organization_id, plan_id, 1, created_at from subscriptions where state = 'active';

create table billing_months (
    month     date primary key check (extract(day from month) = 1),
    billed    boolean not null default true,
    closed_at timestamptz not null default now()
);
comment on table billing_months is 'Months that all invoices were written for. The one before the installation counts as closed, without any: nothing earlier is billed.';
insert into billing_months (month, billed) select (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date, false;

create table invoices (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    number          text not null unique,
    month           date not null check (extract(day from month) = 1),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    state           text not null check (state in ('open', 'paid', 'void')),
    total_minor     bigint not null check (total_minor >= 0),
    issued_at       timestamptz not null,
    due_at          timestamptz not null,
    settled_at      timestamptz,
    version         bigint not null default 1,
    unique (organization_id, month, currency)
);
create index invoices_state_idx on invoices (state, id);
comment on table invoices is 'Bills, one per organization, calendar month (UTC) and currency. Their lines never change: what comes late is a line of a later one.';

create table invoice_lines (
    invoice_id      uuid not null references invoices (id),
    position        integer not null check (position >= 1),
    subscription_id uuid not null references subscriptions (id),
    plan_id         uuid not null,
    tariff          integer not null,
    month           date not null,
    kind            text not null check (kind in ('base', 'usage', 'minimum', 'late')),
    meter           text,
    title           text not null,
    units           bigint not null default 0 check (units >= 0),
    included        bigint not null default 0 check (included between 0 and units),
    parts           jsonb not null default '[]',
    amount_minor    bigint not null,
    primary key (invoice_id, position),
    foreign key (plan_id, tariff) references tariffs (plan_id, number)
);
create index invoice_lines_subscription_idx on invoice_lines (subscription_id, month);
comment on table invoice_lines is 'What is billed. month is that of the use: late lines are of an earlier one than their invoice.';
comment on column invoice_lines.kind is 'late: what an earlier month came to beyond what was billed for it, because calls were handed in after it was closed.';

create table invoice_line_days (
    invoice_id   uuid not null,
    position     integer not null,
    day          date not null,
    route_id     uuid not null,
    units        bigint not null check (units >= 0),
    amount_minor bigint not null check (amount_minor >= 0),
    primary key (invoice_id, position, day, route_id),
    foreign key (invoice_id, position) references invoice_lines (invoice_id, position)
);
comment on table invoice_line_days is 'A line of calls opened to days and operations. Amounts are shared out by units and add up to the line''s.';

create table invoice_numbers (
    year integer primary key,
    last bigint not null check (last >= 1)
);
comment on table invoice_numbers is 'The last number given in a year; taken in the transaction that issues an invoice, so that none is missing.';

do $$
declare
    t text;
begin
    foreach t in array array['subscription_terms', 'invoices'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', t);
    end loop;
    foreach t in array array['invoice_lines', 'invoice_line_days'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I using (exists (select from invoices i where i.id = invoice_id
            and i.organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid))', t);
    end loop;
end
$$;
