-- The language that a person reads in.

alter table users add column language text check (language in ('en', 'de'));
comment on column users.language is 'What their pages and mails are written in (BCP 47); null where they never chose: then English in mails, and on pages what the browser likes.';
