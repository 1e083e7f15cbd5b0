-- Credits that are bought on the provider's page, beside those that finance adds.

alter table checkouts drop constraint checkouts_kind_check;
alter table checkouts add constraint checkouts_kind_check check (kind in ('setup', 'payment', 'credits'));
alter table checkouts add column credits_minor bigint check (credits_minor > 0);
alter table checkouts add column currency text check (currency ~ '^[A-Z]{3}$');
alter table checkouts add constraint checkouts_credits_check
    check ((kind = 'credits') = (credits_minor is not null) and (credits_minor is null) = (currency is null));
comment on column checkouts.credits_minor is 'The credits that are bought, in minor units of currency.';
comment on table checkouts is 'Visits to the provider''s page: to leave a way to pay (setup), to pay an invoice, or to buy credits. Only what the provider says completes one, never that somebody came back.';

alter table credit_entries add column checkout_id uuid unique references checkouts (id);
alter table credit_entries add constraint credit_entries_bought_check check (checkout_id is null or kind = 'grant');
comment on column credit_entries.checkout_id is 'Of grants: the visit that they were bought on; each is granted once.';
