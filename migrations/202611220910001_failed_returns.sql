-- Money that could not be given back: why, and that somebody decided what becomes of it.

alter table payments
    drop constraint payments_state_check,
    add constraint payments_state_check check (state in ('pending', 'done', 'failed', 'withdrawn')),
    add column failure text;
create index payments_failed_idx on payments (at) where state = 'failed';
comment on column payments.failure is 'Of a refund or credit note that the payment provider refused: why, in its words. Operators read it, customers do not.';
