-- Who uses the platform: tenants, the people in them, and the people who run it.

create table organizations (
    id          uuid primary key,
    name        text not null check (length(name) between 1 and 120),
    slug        text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    created_at  timestamptz not null default now(),
    deleted_at  timestamptz
);
comment on table organizations is 'Tenants. A deleted one keeps its row, because usage and invoices refer to it.';

create table users (
    id            uuid primary key,
    email         text not null check (length(email) between 3 and 254 and email = lower(email)),
    name          text not null default '' check (length(name) <= 120),
    password_hash text not null,
    created_at    timestamptz not null default now(),
    disabled_at   timestamptz
);
create unique index users_email_key on users (email);
comment on table users is 'People. The password is an argon2id PHC string; the e-mail is stored in lower case.';

create table members (
    organization_id uuid not null references organizations (id),
    user_id         uuid not null references users (id),
    role            text not null check (role in ('owner', 'developer', 'viewer')),
    created_at      timestamptz not null default now(),
    primary key (organization_id, user_id)
);
create index members_user_idx on members (user_id);
comment on table members is 'Which user belongs to which organization, and what they may do there.';

create table operators (
    user_id    uuid primary key references users (id),
    role       text not null check (role in ('admin', 'auditor')),
    created_at timestamptz not null default now()
);
comment on table operators is 'Users who run the platform.';

create table operator_tokens (
    id             uuid primary key,
    name           text not null check (length(name) between 1 and 120),
    role           text not null check (role in ('admin', 'auditor')),
    digest         bytea not null unique check (length(digest) = 32),
    pepper_version smallint not null,
    display_prefix text not null,
    created_at     timestamptz not null default now(),
    expires_at     timestamptz,
    revoked_at     timestamptz
);
comment on table operator_tokens is 'Service tokens of the admin API. Only HMAC-SHA-256 under a versioned pepper is kept.';

create table setup_links (
    digest     bytea primary key check (length(digest) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz
);
comment on table setup_links is 'One-time links that make the first admin; kept as SHA-256 of 256 random bits.';

create table sessions (
    digest     bytea primary key check (length(digest) = 32),
    payload    bytea not null,
    user_id    uuid references users (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index sessions_expiry_idx on sessions (expires_at);
create index sessions_user_idx on sessions (user_id);
comment on table sessions is 'Browser sessions. The cookie''s value is kept as SHA-256 only, and the payload is sealed under a key made from it.';

create table attempts (
    subject    bytea not null check (length(subject) = 32),
    made_at    timestamptz not null default now()
);
create index attempts_idx on attempts (subject, made_at);
comment on table attempts is 'Failed sign-ins and made accounts of the last hour, by a hash of e-mail and address, to slow guessing and hoarding.';

create table pepper_fingerprints (
    version     smallint primary key,
    fingerprint text not null
);
comment on table pepper_fingerprints is 'Which peppers this database was hashed with, so that a wrong one is noticed at start.';
