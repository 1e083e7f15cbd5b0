-- Links by which others come to run the platform, beside those that make the first admin.

alter table setup_links
    add column id uuid not null default gen_random_uuid() unique,
    add column role text not null default 'admin' check (role in ('admin', 'publisher', 'support', 'finance', 'auditor')),
    add column email text check (length(email) <= 254);
create index setup_links_email_idx on setup_links (email) where email is not null;
comment on table setup_links is 'One-time links that make somebody an operator; kept as SHA-256 of 256 random bits.';
comment on column setup_links.id is 'What lists call it by; it opens nothing.';
comment on column setup_links.role is 'What whoever opens it may do then.';
comment on column setup_links.email is 'The address that it was mailed to, and is for; none where it was printed on the server.';
