-- Passkeys: keys of WebAuthn authenticators that open an account.

create table passkeys (
    id            uuid primary key,
    user_id       uuid not null references users (id),
    credential_id bytea not null unique check (length(credential_id) between 1 and 1023),
    static_state  bytea not null,
    dynamic_state bytea not null check (length(dynamic_state) = 7),
    transports    smallint not null,
    name          text not null check (length(name) between 1 and 60),
    created_at    timestamptz not null default now(),
    last_used_at  timestamptz
);
create index passkeys_user_idx on passkeys (user_id, created_at);
comment on table passkeys is 'Public keys of authenticators (WebAuthn level 3); whoever has the private half and unlocks it is signed in.';
comment on column passkeys.static_state is 'The public key and what was said when it was made, in the encoding of the library that checks it.';
comment on column passkeys.dynamic_state is 'Counter, backup state and attachment as of the last use, in the same encoding.';
comment on column passkeys.transports is 'How the authenticator is reached, as bits: browsers are told, so that nothing is registered twice.';
