-- Products that only chosen organizations see.

alter table products drop constraint products_visibility_check;
alter table products add constraint products_visibility_check check (visibility in ('public', 'signed_in', 'chosen'));

create table product_audience (
    product_id      uuid not null references products (id) on delete cascade,
    organization_id uuid not null references organizations (id),
    primary key (product_id, organization_id)
);
create index product_audience_organization_idx on product_audience (organization_id);
comment on table product_audience is 'Which organizations see a product whose visibility is chosen; kept, without effect, while it is another. Gateways know nothing of it: who subscribes may call.';

alter table product_audience enable row level security;
create policy tenant on product_audience
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
