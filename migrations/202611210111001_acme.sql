-- Certificates that an authority issues when asked (ACME, RFC 8555).

create table acme_account (
    singleton          boolean primary key default true check (singleton),
    directory          text not null check (directory ~ '^https://' and length(directory) <= 500),
    contacts           text[] not null check (cardinality(contacts) <= 5),
    terms_agreed_at    timestamptz not null,
    credentials_sealed bytea check (length(credentials_sealed) <= 65536),
    version            bigint not null default 1,
    updated_at         timestamptz not null default now()
);
comment on table acme_account is 'Who we are to the certificate authority that issues certificates when asked; one row at most.';
comment on column acme_account.directory is 'Where the authority says what it can do (RFC 8555 section 7.1.1).';
comment on column acme_account.contacts is 'Mail addresses that the authority may write to.';
comment on column acme_account.terms_agreed_at is 'When an admin agreed to the authority''s terms of service.';
comment on column acme_account.credentials_sealed is 'The account''s address and key as JSON, sealed as certificates.key_sealed is; null until the first order.';

alter table certificates
    alter column chain drop not null,
    alter column key_sealed drop not null,
    alter column fingerprint drop not null,
    alter column issuer drop not null,
    alter column valid_from drop not null,
    alter column valid_until drop not null,
    add constraint certificates_issued check (
        num_nulls(chain, key_sealed, fingerprint, issuer, valid_from, valid_until) in (0, 6)
        and (chain is not null or source = 'acme'));
comment on column certificates.source is 'upload: somebody brought it; acme: an authority issues and renews it, and has a row in certificate_orders.';
comment on column certificates.names is 'Subject alternative names of the certificate, lower case; of one that is not issued yet, those that are asked for.';

create table certificate_orders (
    certificate_id uuid primary key references certificates (id) on delete cascade,
    names          text[] not null check (cardinality(names) between 1 and 100),
    challenge      text not null check (challenge in ('http-01', 'tls-alpn-01')),
    due_at         timestamptz not null default now(),
    attempts       integer not null default 0,
    error          text check (length(error) <= 2000),
    error_at       timestamptz,
    check ((error is null) = (error_at is null))
);
create index certificate_orders_due on certificate_orders (due_at);
comment on table certificate_orders is 'What is asked of the authority for a certificate, again and again before it ends.';
comment on column certificate_orders.challenge is 'How it is proven that the hosts are ours.';
comment on column certificate_orders.due_at is 'When it is ordered next: at once, a third of its lifetime before it ends, or some time after a failure.';
comment on column certificate_orders.attempts is 'Failures in a row.';
comment on column certificate_orders.error is 'Why the last attempt failed; null after one that succeeded.';

create table acme_challenges (
    certificate_id    uuid not null references certificates (id) on delete cascade,
    host              text not null,
    kind              text not null check (kind in ('http-01', 'tls-alpn-01')),
    token             text not null,
    key_authorization text not null,
    primary key (certificate_id, host)
);
comment on table acme_challenges is 'What gateways answer the authority while an order is open; gone when it is over.';
comment on column acme_challenges.key_authorization is 'The token and the thumbprint of the account''s key: what the authority wants to be told. Public by its nature.';

create constraint trigger config_feed_rows after insert or delete on acme_challenges
    deferrable initially deferred for each row execute function config_changed('blueprint');
create constraint trigger config_feed_updates after update on acme_challenges
    deferrable initially deferred for each row when (old.* is distinct from new.*)
    execute function config_changed('blueprint');
