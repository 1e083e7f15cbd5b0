-- People as other providers know them.

create table identities (
    issuer       text not null check (length(issuer) <= 500),
    subject      text not null check (length(subject) between 1 and 255),
    user_id      uuid not null references users (id),
    email        text not null default '' check (length(email) <= 254),
    created_at   timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (issuer, subject)
);
create index identities_user_idx on identities (user_id);
comment on table identities is 'Who somebody is at an OpenID Connect provider: issuer and subject never change, and open the account of one user.';
comment on column identities.email is 'The address that the provider told at the first sign-in, for its owner to recognise it by; it opens nothing.';

alter table operators add column granted_by text check (length(granted_by) <= 500);
comment on column operators.granted_by is 'The issuer whose claims gave the role, and may change or take it at every sign-in; none where somebody gave it by hand.';
