-- What calls are held to besides their plans: on the platform, on APIs, and on operations.

alter table apis rename column body_limits to policies;
comment on column apis.policies is '{rates, networks, body_bytes_max, operations: [{method, path, rates, networks, body_bytes_max}]}, checked before it is stored; {} asks nothing.';

create table policies (
    is_the_one boolean primary key default true check (is_the_one),
    policies   jsonb not null check (jsonb_typeof(policies) = 'object'),
    version    bigint not null default 1
);
comment on table policies is 'What all calls are held to; no row where nobody has said anything.';
comment on column policies.policies is '{rates, networks, body_bytes_max}, checked before it is stored.';

create constraint trigger config_feed_rows after insert or delete on policies
    deferrable initially deferred for each row execute function config_changed('blueprint', '');
create constraint trigger config_feed_updates after update on policies
    deferrable initially deferred for each row when (old.* is distinct from new.*)
    execute function config_changed('blueprint', '');
