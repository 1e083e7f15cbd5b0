-- Counts that come when their month is over, however old it is: so that the next bill has them.

create table late_counts (
    organization_id uuid not null references organizations (id) on delete cascade,
    month           date not null check (extract(day from month) = 1),
    noted_at        timestamptz not null default now(),
    primary key (organization_id, month)
);
comment on table late_counts is 'Organizations of which counts of a month came after its end: when the next month is closed, that one is rated again, and what is missing is billed. A row goes once a bill was written after it was noted.';
comment on column late_counts.month is 'The month of the calls (UTC).';
comment on column late_counts.noted_at is 'When the last of them came.';

alter table late_counts enable row level security;
create policy tenant on late_counts
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
