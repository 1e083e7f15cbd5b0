-- A form that makes something is sent twice by a double click, also to two portal processes at once.

create table sent_forms (
    user_id  uuid not null references users (id) on delete cascade,
    once     uuid not null,
    led_to   text,
    sent_at  timestamptz not null default now(),
    primary key (user_id, once)
);
create index sent_forms_sent_idx on sent_forms (sent_at);
comment on table sent_forms is 'Portal forms by the number in them, for a day, so that each makes its thing once. led_to is null while that is being made.';
