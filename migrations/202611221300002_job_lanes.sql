-- Lanes of the queue: what is done for each of many customers, or over everything, holds up nothing that somebody waits for.

alter table jobs add column lane smallint not null default 0 check (lane between 0 and 2);
comment on column jobs.lane is '0: what somebody waits for, or what looks after money and keys every few seconds; 1: periodic work over everything; 2: one of many of a kind, a mail about each new invoice, say. Each lane is worked on by itself.';
update jobs set lane = 1
    where once in ('periodic:housekeeping', 'periodic:close_months', 'periodic:reconcile', 'periodic:prove_usage', 'periodic:sum_usage');
drop index jobs_due_idx;
create index jobs_due_idx on jobs (lane, run_at) where dead_at is null and done_at is null;
