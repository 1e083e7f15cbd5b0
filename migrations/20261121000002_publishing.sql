-- What is published: services, APIs with their documents and routes, products and plans.

create table services (
    id                 uuid primary key,
    slug               text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    name               text not null check (length(name) between 1 and 120),
    connect_timeout_ms integer not null default 2000 check (connect_timeout_ms between 1 and 60000),
    read_timeout_ms    integer not null default 30000 check (read_timeout_ms between 1 and 3600000),
    version            bigint not null default 1,
    created_at         timestamptz not null default now()
);
comment on table services is 'Systems that calls are forwarded to.';

create table targets (
    id         uuid primary key,
    service_id uuid not null references services (id) on delete cascade,
    url        text not null check (length(url) between 8 and 2048),
    weight     integer not null default 100 check (weight between 0 and 1000),
    position   integer not null,
    unique (service_id, url)
);
comment on table targets is 'Addresses of a service, with their share of its calls.';

create table apis (
    id              uuid primary key,
    slug            text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    name            text not null check (length(name) between 1 and 120),
    summary         text not null default '' check (length(summary) <= 500),
    service_id      uuid not null references services (id),
    hosts           text[] not null default '{}',
    base_path       text not null default '' check (base_path ~ '^(/[A-Za-z0-9._~-]+)*$'),
    state           text not null check (state in ('draft', 'published', 'retired')),
    document_number integer not null default 0,
    version         bigint not null default 1,
    created_at      timestamptz not null default now()
);
create index apis_service_idx on apis (service_id);
comment on table apis is 'What is published; document_number names the row of api_documents in force, 0 means none.';

create table api_documents (
    api_id     uuid not null references apis (id) on delete cascade,
    number     integer not null check (number > 0),
    document   json not null,
    created_at timestamptz not null default now(),
    primary key (api_id, number)
);
comment on table api_documents is 'OpenAPI 3.1 documents as they were published, oldest kept. Plain json, because jsonb would lose the author''s order.';

create table routes (
    id           uuid primary key,
    api_id       uuid not null references apis (id) on delete cascade,
    operation_id text not null check (length(operation_id) between 1 and 200),
    method       text not null check (method in ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')),
    path         text not null check (path ~ '^/' and length(path) <= 2048),
    unique (api_id, method, path),
    unique (api_id, operation_id)
);
comment on table routes is 'Operations of an API: method and OpenAPI path template below its base path.';

create table products (
    id          uuid primary key,
    slug        text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    name        text not null check (length(name) between 1 and 120),
    summary     text not null default '' check (length(summary) <= 500),
    description text not null default '' check (length(description) <= 20000),
    state       text not null check (state in ('draft', 'published', 'retired')),
    visibility  text not null default 'public' check (visibility in ('public', 'signed_in')),
    version     bigint not null default 1,
    created_at  timestamptz not null default now()
);
comment on table products is 'APIs offered together.';

create table product_apis (
    product_id uuid not null references products (id) on delete cascade,
    api_id     uuid not null references apis (id) on delete restrict,
    position   integer not null default 0,
    primary key (product_id, api_id)
);
create index product_apis_api_idx on product_apis (api_id);
comment on table product_apis is 'Which APIs a product opens.';

create table plans (
    id              uuid primary key,
    product_id      uuid not null references products (id) on delete restrict,
    slug            text not null check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    name            text not null check (length(name) between 1 and 120),
    summary         text not null default '' check (length(summary) <= 500),
    state           text not null check (state in ('open', 'announced', 'closed')),
    approval        boolean not null default false,
    price_minor     bigint not null default 0 check (price_minor between 0 and 100000000000),
    price_currency  text not null default 'EUR' check (price_currency ~ '^[A-Z]{3}$'),
    price_period    text not null default 'month' check (price_period in ('month')),
    limits          jsonb not null default '[]' check (jsonb_typeof(limits) = 'array'),
    position        integer not null default 0,
    version         bigint not null default 1,
    created_at      timestamptz not null default now(),
    unique (product_id, slug)
);
comment on table plans is 'Terms of a product. Money in minor units. limits is an array of {name, kind, amount, period, burst, per, visible}, checked before it is stored.';
