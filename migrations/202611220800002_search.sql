-- Words to find: of operations and schemas of documents in force, of what portals read from files, of products and pages.

-- Words as they are, for whoever is still typing, and in the base forms of both languages of the portal.
create function found_by(text text, weight "char") returns tsvector
    language sql immutable parallel safe
    return setweight(to_tsvector('simple', text) || to_tsvector('english', text) || to_tsvector('german', text), weight);
comment on function found_by is 'What is found by a text: its words, and their base forms in English and German.';

create table search_entries (
    id      bigint generated always as identity primary key,
    api_id  uuid references apis (id) on delete cascade,
    kind    text not null check (kind in ('operation', 'schema', 'guide', 'news', 'refusal')),
    name    text not null,
    method  text not null,
    title   text not null,
    about   text not null,
    words   tsvector not null,
    digest  text,
    check ((api_id is null) = (digest is not null))
);
create index search_entries_words_idx on search_entries using gin (words);
create index search_entries_api_idx on search_entries (api_id);
comment on table search_entries is 'What the portal''s search finds besides products and pages; written anew with every document.';
comment on column search_entries.api_id is 'Of which API; none of what portals read from files.';
comment on column search_entries.name is 'What its address is made of: an operation''s id, a schema''s name, a guide''s slug, a refusal''s code.';
comment on column search_entries.method is 'Of an operation; else empty.';
comment on column search_entries.about is 'The second line of a hit.';
comment on column search_entries.digest is 'Of all files that were read together, so that they are written once.';

alter table products add column words tsvector not null generated always as (
    found_by(name, 'A') || found_by(slug, 'B') || found_by(summary, 'C') || found_by(description, 'D')) stored;
create index products_found_by_idx on products using gin (words);
comment on column products.words is 'What it is found by.';

alter table pages add column words tsvector not null generated always as (
    found_by(title, 'A') || found_by(text, 'C')) stored;
create index pages_found_by_idx on pages using gin (words);
comment on column pages.words is 'What it is found by.';
