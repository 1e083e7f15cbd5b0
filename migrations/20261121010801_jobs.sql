-- What is to be done after a change, and again and again until it is done: mails, reminders, sums.

create table jobs (
    id           uuid primary key,
    kind         text not null check (length(kind) between 1 and 60),
    payload      jsonb not null default '{}',
    once         text unique,
    run_at       timestamptz not null default now(),
    attempts     integer not null default 0 check (attempts >= 0),
    lease        uuid,
    leased_until timestamptz,
    last_error   text,
    dead_at      timestamptz,
    done_at      timestamptz,
    created_at   timestamptz not null default now()
);
create index jobs_due_idx on jobs (run_at) where dead_at is null and done_at is null;
create index jobs_dead_idx on jobs (dead_at) where dead_at is not null;
create index jobs_done_idx on jobs (done_at) where done_at is not null;
comment on table jobs is 'Work that follows from a change and is written in its transaction. A job that is done is deleted, unless it may happen once only; one that has failed too often stays here as dead until somebody looks.';
comment on column jobs.payload is 'Ids and addresses only. Links that prove something are made when the mail is sent, so that no secret waits here.';
comment on column jobs.once is 'What it is about, where it must not be asked for twice: key_expires:<key>:<days>. Periodic jobs are known by it too.';
comment on column jobs.done_at is 'When a job with once was done: the row stays for a hundred days, so that no reminder is sent again.';
comment on column jobs.lease is 'Who works on it. A worker that outlived its lease finds another lease here and changes nothing.';
comment on column jobs.last_error is 'Why the last attempt failed, in one line, without addresses.';
