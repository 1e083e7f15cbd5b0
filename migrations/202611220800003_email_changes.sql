-- Addresses that people want to have from now on, until they show that they are theirs.

create table email_changes (
    user_id    uuid primary key references users (id),
    email      text not null check (length(email) between 3 and 254 and email = lower(email)),
    digest     bytea unique check (length(digest) = 32),
    expires_at timestamptz not null
);
create index email_changes_expiry_idx on email_changes (expires_at);
comment on table email_changes is 'A new address somebody asked for; theirs once the link that was sent to it is opened.';
comment on column email_changes.digest is 'SHA-256 of the link''s 256 random bits; none until the mail is written.';
