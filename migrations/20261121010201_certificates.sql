-- What gateways present to callers who speak TLS.

create table certificates (
    id          uuid primary key,
    slug        text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    source      text not null check (source in ('upload', 'acme')),
    names       text[] not null check (cardinality(names) between 1 and 100),
    chain       text not null check (length(chain) <= 262144),
    key_sealed  bytea not null check (length(key_sealed) <= 65536),
    fingerprint text not null check (fingerprint ~ '^[0-9a-f]{64}$'),
    issuer      text not null,
    valid_from  timestamptz not null,
    valid_until timestamptz not null,
    is_default  boolean not null default false,
    version     bigint not null default 1,
    created_at  timestamptz not null default now()
);
create unique index certificates_one_default on certificates (is_default) where is_default;
comment on table certificates is 'What gateways present to callers who speak TLS.';
comment on column certificates.names is 'Subject alternative names of the certificate, lower case.';
comment on column certificates.chain is 'PEM, the server''s own certificate first.';
comment on column certificates.key_sealed is 'Private key in PEM, XChaCha20-Poly1305 under a key derived from the pepper, bound to this table, row and column: two bytes pepper version, 24 bytes nonce, ciphertext.';
comment on column certificates.fingerprint is 'SHA-256 of the first certificate.';
comment on column certificates.is_default is 'Presented to callers who name no host, or one that no certificate is for; at most one.';

create constraint trigger config_feed_rows after insert or delete on certificates
    deferrable initially deferred for each row execute function config_changed('blueprint');
create constraint trigger config_feed_updates after update on certificates
    deferrable initially deferred for each row when (old.* is distinct from new.*)
    execute function config_changed('blueprint');
