-- Who changed what.

create table audit_entries (
    sequence        bigint generated always as identity primary key,
    at              timestamptz not null default now(),
    actor_kind      text not null check (actor_kind in ('system', 'token', 'operator', 'member', 'visitor')),
    actor_id        uuid,
    action          text not null,
    subject_kind    text not null,
    subject_id      uuid,
    organization_id uuid,
    request_id      text,
    details         jsonb not null default '{}'
);
create index audit_entries_organization_idx on audit_entries (organization_id, sequence);
comment on table audit_entries is 'One line per change, written in the transaction that made it. Secrets are never in details.';

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit entries are append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_entries_append_only before update or delete on audit_entries
    for each row execute function audit_is_append_only();
