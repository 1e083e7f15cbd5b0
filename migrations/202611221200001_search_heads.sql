-- What is found is put in order by titles and names first: they are short, and whole texts are read of the best only.

alter table search_entries add column head tsvector not null default '';
comment on column search_entries.head is 'Words of the title and the names alone; part of words.';

-- They are written anew: of files when something is looked for, of documents by housekeeping.
delete from search_entries;

alter table apis add column words tsvector not null generated always as (
    found_by(name, 'A') || found_by(slug, 'B') || found_by(summary, 'C')) stored;
create index apis_found_by_idx on apis using gin (words);
comment on column apis.words is 'What it is found by in the portal.';
