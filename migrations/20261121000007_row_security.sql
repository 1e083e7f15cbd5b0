-- Tenants never meet: a role that does not own the tables sees only the rows of the organization named in the
-- transaction's setting tollgate.organization, and none without it. The owner (migrations, operators, gateways)
-- is not narrowed.

do $$
declare
    t text;
begin
    foreach t in array array['applications', 'subscriptions', 'credentials', 'members', 'usage_counters', 'audit_entries'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', t);
    end loop;
    alter table organizations enable row level security;
    create policy tenant on organizations
        using (id = nullif(current_setting('tollgate.organization', true), '')::uuid)
        with check (id = nullif(current_setting('tollgate.organization', true), '')::uuid);
end
$$;
