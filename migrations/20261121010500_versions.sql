-- Organizations and keys are changed under a version too, like everything else that two people may edit at once.

alter table organizations add column version bigint not null default 1;
alter table credentials add column version bigint not null default 1;
comment on column organizations.version is 'Grows with every change.';
comment on column credentials.version is 'Grows with every change.';
