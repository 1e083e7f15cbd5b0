-- Stopping a whole organization at once, and letting it go on as it was.

alter table organizations add column suspended_at timestamptz;
comment on column organizations.suspended_at is 'Set: an operator stopped it; its applications are suspended and it makes no new ones.';
alter table applications add column suspended_with_organization boolean not null default false;
comment on column applications.suspended_with_organization is 'Suspended because its organization was: it goes on when the organization does.';
