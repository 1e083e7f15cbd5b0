-- What an account proves: that its address is its own, and links that are good once.

alter table users
    add column email_verified_at timestamptz,
    add column shadow_of uuid references users (id),
    add column shadow_since timestamptz check ((shadow_of is null) = (shadow_since is null));
drop index users_email_key;
create unique index users_email_key on users (email) where shadow_of is null;
create index users_shadow_idx on users (shadow_of) where shadow_of is not null;
comment on column users.email_verified_at is 'When a link that was sent to the address was opened; none while nobody has shown that it is theirs.';
comment on column users.shadow_of is 'The account that had the address first. Signing up with a taken address works like any other, so that nobody learns which are taken; what it makes is a shadow, which goes after seven days unless its owner proves the address while the first account has not.';
comment on column users.shadow_since is 'Since when it is one: seven days later it goes.';

create table account_links (
    digest     bytea primary key check (length(digest) = 32),
    user_id    uuid not null references users (id),
    purpose    text not null check (purpose in ('verify', 'reset')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index account_links_user_idx on account_links (user_id);
create index account_links_expiry_idx on account_links (expires_at);
comment on table account_links is 'Links in mails, as SHA-256 of 256 random bits. A link that was used is deleted.';
