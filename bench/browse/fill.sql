-- Ten thousand APIs with a route each and a hundred thousand applications with their people, keys and subscriptions: what
-- the operators' lists are measured on. For an empty, migrated database.

set session_replication_role = replica; -- no feed, no audit: this is a stage, not a history
create function pg_temp.id(kind int, n int) returns uuid language sql immutable as
    $$ select (lpad(to_hex(1700000000000::bigint + n), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$;

insert into services (id, slug, name) select pg_temp.id(1, n), 'service-' || n, 'Service ' || n from generate_series(1, 500) n;
insert into targets (id, service_id, url, position) select pg_temp.id(2, n), pg_temp.id(1, n), 'http://10.0.0.' || n % 250 || ':8080', 0 from generate_series(1, 500) n;
insert into apis (id, slug, name, service_id, base_path, state)
    select pg_temp.id(3, n), 'api-' || n, (array['Countries', 'Rates', 'Weather', 'Orders', 'Invoices'])[n % 5 + 1] || ' ' || n,
        pg_temp.id(1, n % 500 + 1), '/api-' || n || '/v1', (array['draft', 'published', 'published', 'retired'])[n % 4 + 1]
    from generate_series(1, 10000) n;
insert into routes (id, api_id, operation_id, method, path) select pg_temp.id(4, n), pg_temp.id(3, n), 'list', 'GET', '/things' from generate_series(1, 10000) n;
insert into products (id, slug, name, state) select pg_temp.id(5, n), 'product-' || n, 'Product ' || n, 'published' from generate_series(1, 500) n;
insert into product_apis (product_id, api_id) select pg_temp.id(5, n % 500 + 1), pg_temp.id(3, n) from generate_series(1, 10000) n;
insert into plans (id, product_id, slug, name, state) select pg_temp.id(6, n), pg_temp.id(5, n), 'free', 'Free', 'open' from generate_series(1, 500) n;
insert into users (id, email, password_hash) select pg_temp.id(7, n), 'person' || n || '.family' || n % 997 || '@example' || n % 50 || '.com', '-' from generate_series(1, 100000) n;
insert into organizations (id, name, slug) select pg_temp.id(8, n), 'Company ' || n, 'company-' || n from generate_series(1, 100000) n;
insert into members (organization_id, user_id, role) select pg_temp.id(8, n), pg_temp.id(7, n), 'owner' from generate_series(1, 100000) n;
insert into applications (id, organization_id, name) select pg_temp.id(9, n), pg_temp.id(8, n), 'Application ' || n from generate_series(1, 100000) n;
insert into credentials (id, organization_id, application_id, name, environment, display_prefix, display_last4, digest, pepper_version)
    select pg_temp.id(10, n), pg_temp.id(8, n), pg_temp.id(9, n), 'Key ' || n, 'live', 'tg_live_' || substr(md5(n::text), 1, 4), 'wxyz', sha256(n::text::bytea), 1
    from generate_series(1, 100000) n;
insert into subscriptions (id, organization_id, application_id, product_id, plan_id, state)
    select pg_temp.id(11, n), pg_temp.id(8, n), pg_temp.id(9, n), pg_temp.id(5, n % 500 + 1), pg_temp.id(6, n % 500 + 1),
        case when n % 1000 = 0 then 'requested' else 'active' end
    from generate_series(1, 100000) n;
set session_replication_role = origin;
analyze;
