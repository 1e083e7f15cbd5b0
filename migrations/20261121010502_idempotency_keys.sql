-- Writes that must happen once, however often they are sent.

create table idempotency_keys (
    actor_id   uuid not null,
    digest     bytea not null check (length(digest) = 32),
    request    bytea not null check (length(request) = 32),
    answer     bytea not null,
    made_at    timestamptz not null default now(),
    primary key (actor_id, digest)
);
create index idempotency_keys_made_idx on idempotency_keys (made_at);
comment on table idempotency_keys is 'Answers of writes that were sent with an Idempotency-Key, kept for a day and given again to whoever sends the same.';
comment on column idempotency_keys.digest is 'HMAC of the key under the pepper.';
comment on column idempotency_keys.request is 'SHA-256 of what was asked for: method, path, query and body.';
comment on column idempotency_keys.answer is 'Sealed under a key made from the pepper and the Idempotency-Key itself, because it may hold a secret that is shown once.';
