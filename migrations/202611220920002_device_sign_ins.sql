-- Sign-ins of command lines (RFC 8628): asked for without an account, decided by somebody who is signed in.

create table device_sign_ins (
    digest         bytea primary key check (length(digest) = 32),
    user_code      text not null unique check (user_code ~ '^[BCDFGHJKLMNPQRSTVWXZ]{8}$'),
    asked_from     text not null default '',
    created_at     timestamptz not null default now(),
    expires_at     timestamptz not null,
    polled_at      timestamptz,
    state          text not null default 'waiting' check (state in ('waiting', 'allowed', 'denied')),
    user_id        uuid references users (id),
    application_id uuid references applications (id),
    check ((state = 'allowed') = (application_id is not null))
);
create index device_sign_ins_expiry_idx on device_sign_ins (expires_at);
comment on table device_sign_ins is 'Command lines that wait to be let in; a row is gone when its key was handed out, or a day after it ended.';
comment on column device_sign_ins.digest is 'SHA-256 of the device code: 256 random bits that only the command line knows.';
comment on column device_sign_ins.user_code is 'What a person types: eight consonants, so that no words come out. 34 bits, guarded by a throttle.';
comment on column device_sign_ins.asked_from is 'The network that it was asked from, shown to whoever decides.';
comment on column device_sign_ins.polled_at is 'When the command line asked last: one that asks too often is told to slow down.';
comment on column device_sign_ins.application_id is 'The application that gets a sandbox key. The key is made when it is fetched, so nothing secret waits here.';
