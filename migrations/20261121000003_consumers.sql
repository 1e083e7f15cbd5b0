-- Who calls: applications, their subscriptions and their keys.

create table applications (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    name            text not null check (length(name) between 1 and 120),
    state           text not null default 'active' check (state in ('active', 'suspended')),
    version         bigint not null default 1,
    created_at      timestamptz not null default now(),
    deleted_at      timestamptz,
    unique (organization_id, id)
);
create index applications_organization_idx on applications (organization_id);
comment on table applications is 'A developer''s programs. A deleted one keeps its row, because usage refers to it.';

create table subscriptions (
    id              uuid primary key,
    organization_id uuid not null,
    application_id  uuid not null,
    product_id      uuid not null references products (id),
    plan_id         uuid not null references plans (id),
    state           text not null check (state in ('requested', 'active', 'suspended', 'ended')),
    version         bigint not null default 1,
    created_at      timestamptz not null default now(),
    ended_at        timestamptz,
    foreign key (organization_id, application_id) references applications (organization_id, id)
);
create unique index subscriptions_one_per_product on subscriptions (application_id, product_id) where state <> 'ended';
create index subscriptions_plan_idx on subscriptions (plan_id);
create index subscriptions_organization_idx on subscriptions (organization_id);
comment on table subscriptions is 'An application on a plan; at most one that has not ended per product.';

create table credentials (
    id              uuid primary key,
    organization_id uuid not null,
    application_id  uuid not null,
    name            text not null check (length(name) between 1 and 120),
    environment     text not null check (environment in ('live', 'test')),
    display_prefix  text not null,
    display_last4   text not null,
    digest          bytea not null unique check (length(digest) = 32),
    pepper_version  smallint not null,
    created_at      timestamptz not null default now(),
    expires_at      timestamptz,
    revoked_at      timestamptz,
    foreign key (organization_id, application_id) references applications (organization_id, id)
);
create index credentials_application_idx on credentials (application_id);
create index credentials_organization_idx on credentials (organization_id);
comment on table credentials is 'API keys: HMAC-SHA-256 under a versioned pepper, and the few characters shown to find them again. The key itself is nowhere.';
