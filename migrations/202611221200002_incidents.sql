-- What the status page remembers: times in which an API failed its calls.

create table incidents (
    id       uuid primary key,
    api_id   uuid not null references apis (id) on delete cascade,
    trouble  text not null check (trouble in ('degraded', 'down')),
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    calls    bigint not null check (calls > 0),
    failed   bigint not null check (failed between 1 and calls),
    check (ended_at >= began_at)
);
create unique index incidents_open_idx on incidents (api_id) where ended_at is null;
create index incidents_began_idx on incidents (began_at);
comment on table incidents is 'Times in which an API failed its calls, noticed by what gateways counted. Kept for a year.';
comment on column incidents.trouble is 'The worst that it was.';
comment on column incidents.ended_at is 'Null while it lasts.';
comment on column incidents.calls is 'Calls of the quarter of an hour in which it was worst.';
comment on column incidents.failed is 'Of them, those that the API failed.';
