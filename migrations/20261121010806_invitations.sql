-- Asking others into an organization.

create table invitations (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    email           text not null check (length(email) between 3 and 254 and email = lower(email)),
    role            text not null,
    invited_by      uuid not null references users (id),
    digest          bytea unique check (length(digest) = 32),
    created_at      timestamptz not null default now(),
    sent_at         timestamptz,
    expires_at      timestamptz
);
create unique index invitations_email_key on invitations (organization_id, email);
create index invitations_expiry_idx on invitations (expires_at);
alter table invitations enable row level security;
create policy tenant on invitations
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
comment on table invitations is 'Invitations that wait for an answer; one that was accepted, taken back or is a month old is deleted.';
comment on column invitations.digest is 'SHA-256 of the token in the mail''s link: 256 random bits, made when the mail is sent and made anew when it is sent again.';
