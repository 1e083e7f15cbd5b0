-- Keys that are looked at again, and keys that take over from others.

alter table credentials
    add column sealed bytea check (sealed is null or environment = 'test'),
    add column replaced_by uuid references credentials (id),
    add column retire_hours integer check (retire_hours between 0 and 8760);
create index credentials_replaced_idx on credentials (replaced_by) where replaced_by is not null;
create index credentials_expiry_idx on credentials (expires_at) where expires_at is not null and revoked_at is null;
comment on column credentials.sealed is 'The key of a sandbox, sealed for its row, so that its owner can look at it again. A live key is nowhere.';
comment on column credentials.replaced_by is 'The key that takes over from this one.';
comment on column credentials.retire_hours is 'This one stops so many hours after the one that takes over is first used; none where an instant is set in expires_at.';
