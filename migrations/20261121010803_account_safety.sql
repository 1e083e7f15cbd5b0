-- Who is signed in where, and the second factor.

alter table sessions
    add column id uuid not null default gen_random_uuid() unique,
    add column agent text not null default '' check (length(agent) <= 120),
    add column address text not null default '' check (length(address) <= 60),
    add column seen_at timestamptz;
comment on column sessions.id is 'What a list of sessions calls it by; it opens nothing.';
comment on column sessions.agent is 'Browser and system in a few words, for its owner to recognise it by; gone with the session.';
comment on column sessions.address is 'Where it was signed in from, for its owner to recognise it by; gone with the session.';

create table second_factors (
    user_id    uuid primary key references users (id),
    sealed     bytea not null,
    last_step  bigint not null default 0,
    created_at timestamptz not null default now()
);
comment on table second_factors is 'Secrets of time-based one-time passwords (RFC 6238), sealed for their row, of users who have shown a code of them.';
comment on column second_factors.last_step is 'The 30-second step of the last code that was taken: no code is taken twice, nor one before it.';

create table recovery_codes (
    user_id        uuid not null references users (id),
    digest         bytea not null check (length(digest) = 32),
    pepper_version smallint not null,
    primary key (user_id, digest)
);
comment on table recovery_codes is 'Codes for somebody whose second factor is lost, as HMAC-SHA-256 under a pepper. One that was used is deleted.';

