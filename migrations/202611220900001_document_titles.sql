-- All documents of an API are listed: without these, every one of them would be read whole for its title.
alter table api_documents
    add column title text not null generated always as (coalesce(document -> 'info' ->> 'title', '')) stored,
    add column version text not null generated always as (coalesce(document -> 'info' ->> 'version', '')) stored;
comment on column api_documents.title is 'info.title of the document.';
comment on column api_documents.version is 'info.version of the document, as its author counts.';
