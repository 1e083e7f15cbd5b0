-- Trials, one-time fees and prices in several currencies.

comment on column tariffs.terms is '{currency, base_minor, meters, minimum_minor, setup_minor, trial: {days, base_due, included}, currencies: [the prices once more, in another currency each]}, checked before it is stored.';

alter table organizations add column currency text check (currency ~ '^[A-Z]{3}$');
comment on column organizations.currency is 'What it pays in: chosen before, or taken from the first plan that costs something, and fixed from then on. Null while nothing did.';

create function tariff_in(terms jsonb, code text) returns jsonb immutable parallel safe language sql as $$
    select case when terms ->> 'currency' = code then terms
        else (select p from jsonb_array_elements(terms -> 'currencies') p where p ->> 'currency' = code) end
$$;
comment on function tariff_in(jsonb, text) is 'The prices of a tariff in one currency; null where it has none in that.';

create function prices_are_free(prices jsonb) returns boolean immutable parallel safe language sql as $$
    select coalesce((prices ->> 'base_minor')::bigint, 0) = 0 and coalesce((prices ->> 'minimum_minor')::bigint, 0) = 0
        and coalesce((prices ->> 'setup_minor')::bigint, 0) = 0 and jsonb_array_length(coalesce(prices -> 'meters', '[]')) = 0
$$;
comment on function prices_are_free(jsonb) is 'Whether nothing ever costs anything, in the currency that they are in.';

alter table subscription_terms
    add column currency text check (currency ~ '^[A-Z]{3}$'),
    add column trial_ends timestamptz;
update subscription_terms t set currency = f.terms ->> 'currency'
    from tariffs f where f.plan_id = t.plan_id and f.number = t.tariff;
alter table subscription_terms alter column currency set not null;
comment on column subscription_terms.currency is 'In which of the tariff''s currencies.';
comment on column subscription_terms.trial_ends is 'Until then no fee is due; null where there is no trial. Days are counted from the first trial that the organization had of the product, so that there is one of each product, however it is moved about.';
create index subscription_terms_trial_idx on subscription_terms (trial_ends) where ends is null and trial_ends is not null;

update organizations o set currency = (
    select t.currency from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
    where t.organization_id = o.id and not prices_are_free(tariff_in(f.terms, t.currency)) order by t.begins limit 1);

-- Terms follow the subscription, however it is changed. Back on a plan it is back on the tariff it had there.
create or replace function subscriptions_keep_terms() returns trigger language plpgsql as $$
declare
    chosen text;
    kept tariffs;
    tried_from timestamptz;
    until timestamptz;
begin
    update subscription_terms set ends = now()
        where subscription_id = new.id and ends is null and (new.state <> 'active' or plan_id <> new.plan_id);
    if new.state <> 'active' or exists (select from subscription_terms where subscription_id = new.id and ends is null) then
        return null;
    end if;
    select * into strict kept from tariffs where plan_id = new.plan_id and number = coalesce(
        (select tariff from subscription_terms where subscription_id = new.id and plan_id = new.plan_id
         order by begins desc limit 1),
        (select max(number) from tariffs where plan_id = new.plan_id));
    -- Two subscriptions that begin at once must not choose two currencies.
    select currency into chosen from organizations where id = new.organization_id for no key update;
    if chosen is null or tariff_in(kept.terms, chosen) is null then
        if chosen is null and not prices_are_free(kept.terms) then
            update organizations set currency = kept.terms ->> 'currency' where id = new.organization_id;
        end if;
        chosen := kept.terms ->> 'currency';
    end if;
    if kept.terms -> 'trial' ->> 'days' is not null then
        select min(t.begins) into tried_from from subscription_terms t join plans p on p.id = t.plan_id
            where t.organization_id = new.organization_id and p.product_id = new.product_id and t.trial_ends is not null;
        until := coalesce(tried_from, now()) + (kept.terms -> 'trial' ->> 'days')::int * interval '24 hours';
    end if;
    insert into subscription_terms (subscription_id, organization_id, plan_id, tariff, begins, currency, trial_ends)
        values (new.id, new.organization_id, new.plan_id, kept.number, now(), chosen, case when until > now() then until end)
        on conflict (subscription_id, begins) do update set plan_id = excluded.plan_id, tariff = excluded.tariff,
            currency = excluded.currency, trial_ends = excluded.trial_ends, ends = null;
    return null;
end
$$;

-- A plan's base fee is written in the plan; however it gets there, it begins a new tariff.
create or replace function plans_keep_tariff() returns trigger language plpgsql as $$
declare
    latest tariffs;
begin
    select * into latest from tariffs where plan_id = new.id order by number desc limit 1;
    if latest.terms ->> 'currency' <> new.price_currency and (not prices_are_free(latest.terms - 'base_minor')
        or jsonb_array_length(coalesce(latest.terms -> 'currencies', '[]')) > 0) then
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

alter table invoice_lines drop constraint invoice_lines_kind_check,
    add constraint invoice_lines_kind_check check (kind in ('base', 'usage', 'minimum', 'setup', 'late'));
comment on column invoice_lines.kind is 'setup: the one-time fee; late: what an earlier month came to beyond what was billed for it, because calls were handed in after it was closed.';
