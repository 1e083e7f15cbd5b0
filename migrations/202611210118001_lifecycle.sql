-- An API goes in steps that its callers hear of: deprecated, perhaps with a sunset and a successor, then retired.

alter table apis drop constraint apis_state_check;
alter table apis
    add constraint apis_state_check check (state in ('draft', 'published', 'deprecated', 'retired')),
    add column deprecated_at timestamptz,
    add column sunset_at timestamptz,
    -- Checked at commit: whole publications are applied in no order of succession.
    add column successor_id uuid references apis (id) on delete set null deferrable initially deferred,
    add constraint apis_succeeded_by_another check (successor_id <> id),
    add constraint apis_end_in_steps check (state in ('deprecated', 'retired') or (sunset_at is null and successor_id is null));
create index apis_successor_idx on apis (successor_id) where successor_id is not null;
create index apis_sunset_idx on apis (sunset_at) where state = 'deprecated' and sunset_at is not null;
comment on column apis.deprecated_at is 'Since when it is deprecated; never after sunset_at.';
comment on column apis.sunset_at is 'From this instant on gateways answer its calls with 410; whole seconds.';
comment on column apis.successor_id is 'The API that takes its place: callers are led to it, and the portal links it.';
