-- While a subscription is stopped for an unpaid invoice nothing is due for it: its calls are refused, so no base fee runs on.

create or replace function subscriptions_keep_terms() returns trigger language plpgsql as $$
declare
    chosen text;
    kept tariffs;
    tried_from timestamptz;
    until timestamptz;
begin
    update subscription_terms set ends = now()
        where subscription_id = new.id and ends is null and (new.state <> 'active' or new.unpaid or plan_id <> new.plan_id);
    if new.state <> 'active' or new.unpaid or exists (select from subscription_terms where subscription_id = new.id and ends is null) then
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
drop trigger subscriptions_keep_terms on subscriptions;
create trigger subscriptions_keep_terms after insert or update of state, plan_id, unpaid on subscriptions
    for each row execute function subscriptions_keep_terms();

-- A plan with a one-time fee, or with a price in another currency, is not free.
create or replace view free_plans as
    select distinct on (p.product_id) p.product_id, p.id as plan_id, p.slug, p.limits
    from plans p join tariffs t on t.plan_id = p.id and t.number = (select max(number) from tariffs where plan_id = p.id)
    where not p.prepaid and jsonb_typeof(p.limits) = 'array' and prices_are_free(t.terms)
    order by p.product_id, p.created_at, p.id;
