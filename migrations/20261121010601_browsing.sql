-- What operators look through: every order and every search of a list has its index, so that a page of a hundred
-- thousand rows is as quick as one of ten.

create function search_words(text) returns tsvector language sql immutable parallel safe strict
    return to_tsvector('simple'::regconfig, regexp_replace($1, '[!-/:-@\[-`{-~]+', ' ', 'g'));
comment on function search_words(text) is 'The words of a name, an address or a path, to be found by their beginnings: dots, slashes, hyphens and @ stand between words.';

create index services_words_idx on services using gin (search_words(name || ' ' || slug));
create index services_name_idx on services (lower(name), id);
create index apis_words_idx on apis using gin (search_words(name || ' ' || slug || ' ' || base_path));
create index apis_name_idx on apis (lower(name), id);
create index apis_path_idx on apis (base_path, id);
create index products_words_idx on products using gin (search_words(name || ' ' || slug));
create index products_name_idx on products (lower(name), id);
create index organizations_words_idx on organizations using gin (search_words(name || ' ' || slug)) where deleted_at is null;
create index organizations_name_idx on organizations (lower(name), id) where deleted_at is null;
create index users_words_idx on users using gin (search_words(email || ' ' || name));
create index users_email_id_idx on users (email, id);
create index applications_words_idx on applications using gin (search_words(name)) where deleted_at is null;
create index applications_name_idx on applications (lower(name), id) where deleted_at is null;
create index credentials_words_idx on credentials using gin (search_words(name));
create index credentials_name_idx on credentials (lower(name), id);
create index credentials_prefix_idx on credentials (display_prefix collate "C");
create index subscriptions_state_idx on subscriptions (state, id) where state in ('requested', 'suspended');
create index subscriptions_product_idx on subscriptions (product_id, id);
create index subscriptions_application_idx on subscriptions (application_id, id);
create index audit_entries_actor_idx on audit_entries (actor_id, sequence);
create index audit_entries_kind_idx on audit_entries (subject_kind, sequence);
