-- APIs at one address are told apart by what their calls say.

alter table apis add column match_headers jsonb not null default '[]' check (jsonb_typeof(match_headers) = 'array');
comment on column apis.match_headers is '[{name, value}]: fields that a call must have to be this API''s; names in lower case and in order.';
