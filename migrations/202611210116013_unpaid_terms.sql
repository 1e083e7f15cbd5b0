-- While a subscription is stopped for an unpaid invoice nothing is due for it: its calls are refused, so no base fee runs on.

create or replace function subscriptions_keep_terms() returns trigger language plpgsql as $$
declare
    serves boolean := new.state = 'active' and not new.unpaid;
begin
    update subscription_terms set ends = now()
        where subscription_id = new.id and ends is null and (not serves or plan_id <> new.plan_id);
    if serves then
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
drop trigger subscriptions_keep_terms on subscriptions;
create trigger subscriptions_keep_terms after insert or update of state, plan_id, unpaid on subscriptions
    for each row execute function subscriptions_keep_terms();
