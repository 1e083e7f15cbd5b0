-- Where people sign in from: what is guessed at their account from elsewhere does not hold them up there.

create table known_networks (
    user_id uuid not null references users (id) on delete cascade,
    network bytea not null check (octet_length(network) = 32),
    seen_at timestamptz not null default now(),
    primary key (user_id, network)
);
create index known_networks_seen_idx on known_networks (seen_at);
comment on table known_networks is 'Networks that somebody''s password was right from; forgotten 90 days after the last time.';
comment on column known_networks.network is 'A hash of the user and an IPv4 address or IPv6 /64.';
