-- How large the bodies of requests may be, where an API says something else than the gateway.

alter table apis add column body_limits jsonb not null default '{}' check (jsonb_typeof(body_limits) = 'object');
comment on column apis.body_limits is '{body_bytes_max, operations: [{method, path, body_bytes_max}]}, checked before it is stored; {} is as the gateway says.';
