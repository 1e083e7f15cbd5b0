-- More kinds of people run a platform than those who may do everything and those who look.

alter table operators drop constraint operators_role_check;
alter table operators add constraint operators_role_check
    check (role in ('admin', 'publisher', 'support', 'finance', 'auditor'));
alter table operator_tokens drop constraint operator_tokens_role_check;
alter table operator_tokens add constraint operator_tokens_role_check
    check (role in ('admin', 'publisher', 'support', 'finance', 'auditor'));
alter table operator_tokens
    add column scopes text[] check (scopes <@ array['read', 'publish', 'tenants', 'people'] and cardinality(scopes) > 0),
    add column made_by uuid;
comment on column operator_tokens.scopes is 'What the token may do of what its role may; null is all of it.';
comment on column operator_tokens.made_by is 'The user or token that made it; null for those made by a command or at start.';
