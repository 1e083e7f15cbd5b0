-- Lists of a hundred thousand rows, narrowed to a tenant or a product: each question finds an index. What sorts and searches
-- them by name is with the pages that do the same.

drop index applications_organization_idx;
create index applications_organization_idx on applications (organization_id, id);
drop index subscriptions_organization_idx;
create index subscriptions_organization_idx on subscriptions (organization_id, id);
drop index credentials_organization_idx;
create index credentials_organization_idx on credentials (organization_id, id);
-- What is stopped is rare, and looked for often.
create index applications_suspended_idx on applications (id) where state = 'suspended';
create index plans_product_idx on plans (product_id, id);
