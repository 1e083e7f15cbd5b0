-- Money of bought credits that could not be paid back: why.

alter table credit_refunds add column failure text;
create index credit_refunds_created_idx on credit_refunds (created_at);
comment on column credit_refunds.failure is 'Of a refund that the payment provider refused, or that did not arrive: why, in its words. Operators read it, customers do not.';
