-- What a subscription may cost in a month: set by whoever pays, kept by gateways as a number of calls.

create table spend_caps (
    subscription_id uuid primary key references subscriptions (id) on delete cascade,
    application_id  uuid not null references applications (id),
    organization_id uuid not null references organizations (id),
    amount_minor    bigint not null check (amount_minor between 0 and 100000000000),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    landing         text not null check (landing in ('block', 'throttle', 'notify')),
    month_weight    bigint not null default 0 check (month_weight >= 0),
    looked_at       timestamptz not null default '-infinity',
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now()
);
create index spend_caps_looked_idx on spend_caps (looked_at);
create index spend_caps_organization_idx on spend_caps (organization_id);
comment on table spend_caps is 'The most that the use of a subscription may cost in a calendar month (UTC); base fees are not use.';
comment on column spend_caps.landing is 'What becomes of calls when it is reached: refused, held to the free plan for nothing, or served and told of.';
comment on column spend_caps.month_weight is 'Calls that a month allows which has just begun, each weighted as budgets of money are. What the present month allows is in budgets.';
comment on column spend_caps.looked_at is 'When what the present month allows was worked out last.';

-- Plans that are paid for in advance: their calls take from credits, and stop with them.
alter table plans add column prepaid boolean not null default false;
comment on column plans.prepaid is 'Its calls are admitted as far as the credits of the organization go.';

comment on table budgets is 'One quota of one subscription in one window of time, made when a gateway first asks. What was used is not here: it is counted from usage_counters. Names that begin with $ are what money allows, in calls.';

-- A budget of money, as a gateway holds it: the amount is in its row of budgets.
create function kept_limit(name text, amount bigint default 1000000000000, period text default 'month') returns jsonb
language sql immutable as $$
    select jsonb_build_object('name', name, 'kind', 'quota', 'amount', amount, 'period', period, 'enforcement', 'exact',
        'visible', false, 'alerts', '[]'::jsonb)
$$;

-- What a free plan allows a subscription whose cap is reached: its rates, and its quota anew.
create function throttled_limits(limits jsonb) returns jsonb language sql immutable as $$
    select coalesce((select jsonb_agg(l.value order by l.ordinality) from jsonb_array_elements(limits) with ordinality l
            where l.value ->> 'kind' = 'rate'), '[]')
        || coalesce((select jsonb_build_array(kept_limit('$throttled', (l.value ->> 'amount')::bigint, l.value ->> 'period'))
            from jsonb_array_elements(limits) with ordinality l
            where l.value ->> 'kind' = 'quota' and coalesce(l.value ->> 'enforcement', 'shared') <> 'soft'
            order by l.ordinality limit 1), '[]')
$$;

create view free_plans as
    select distinct on (p.product_id) p.product_id, p.id as plan_id, p.slug, p.limits
    from plans p
    where p.price_minor = 0 and not p.prepaid and jsonb_typeof(p.limits) = 'array' and not exists (
        select from tariffs t where t.plan_id = p.id and t.number = (select max(number) from tariffs where plan_id = p.id)
            and (jsonb_array_length(t.terms -> 'meters') > 0 or (t.terms ->> 'minimum_minor')::bigint > 0))
    order by p.product_id, p.created_at, p.id;
comment on view free_plans is 'The plan of each product that costs nothing; the oldest where there are several.';

create constraint trigger config_feed_blueprint_rows after insert or delete on spend_caps
    deferrable initially deferred for each row execute function config_changed('blueprint', 'application_id');
create constraint trigger config_feed_consumer_rows after insert or delete on spend_caps
    deferrable initially deferred for each row execute function config_changed('consumer', 'application_id');
create constraint trigger config_feed_consumer_updates after update on spend_caps
    deferrable initially deferred for each row when (old.landing is distinct from new.landing)
    execute function config_changed('consumer', 'application_id');
create constraint trigger config_feed_blueprint_updates after update on spend_caps
    deferrable initially deferred for each row when (old.landing is distinct from new.landing)
    execute function config_changed('blueprint', 'application_id');

alter table spend_caps enable row level security;
create policy tenant on spend_caps
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
