-- What becomes of subscriptions when their month ends, and pauses that their owners may end themselves.

create table planned_changes (
    subscription_id uuid primary key references subscriptions (id) on delete cascade,
    organization_id uuid not null references organizations (id),
    plan_id         uuid references plans (id) on delete cascade,
    due_at          timestamptz not null,
    created_at      timestamptz not null default now()
);
create index planned_changes_due_idx on planned_changes (due_at);
comment on table planned_changes is 'Subscriptions that move to another plan, or end, when the month is over. A change made by hand takes its place.';
comment on column planned_changes.plan_id is 'The plan that it moves to; none where it ends.';

alter table subscriptions add column paused boolean not null default false;
comment on column subscriptions.paused is 'Suspended by its owner, who may resume it; an operator''s suspension is not.';

alter table planned_changes enable row level security;
create policy tenant on planned_changes
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
