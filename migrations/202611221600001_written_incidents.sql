-- Incidents that an operator writes, beside those that gateways notice; and words of an operator on either.

alter table incidents
    add noticed    boolean not null default true,
    add title      text not null default '' check (char_length(title) <= 120),
    add text       text not null default '' check (char_length(text) <= 5000),
    add version    bigint not null default 1,
    add updated_at timestamptz not null default now(),
    alter api_id drop not null,
    alter calls drop not null,
    alter failed drop not null,
    add constraint incidents_noticed_check
        check (case when noticed then num_nulls(api_id, calls, failed) = 0 else num_nulls(calls, failed) = 2 and title <> '' end);

drop index incidents_open_idx;
create unique index incidents_open_idx on incidents (api_id) where ended_at is null and noticed;

comment on table incidents is 'Times in which calls went wrong: noticed by what gateways counted, or written by an operator. Kept for a year.';
comment on column incidents.noticed is 'Whether gateways noticed it; else an operator wrote it, and its times are as they said.';
comment on column incidents.title is 'What it is about, in an operator''s words.';
comment on column incidents.text is 'What is known of it, in Markdown.';
comment on column incidents.api_id is 'Of which API; null where an operator wrote it about all of them.';
comment on column incidents.calls is 'Calls of the quarter of an hour in which it was worst; null where an operator wrote it.';
comment on column incidents.failed is 'Of them, those that the API failed.';
