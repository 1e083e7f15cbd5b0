-- What operators say when they decide about a request.

alter table subscriptions add column decision text check (length(decision) between 1 and 500);
comment on column subscriptions.decision is 'What was said to the developer when a request was approved or rejected; none where nothing was.';
