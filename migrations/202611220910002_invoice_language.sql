-- The language that a bill is written in. It is chosen once, when the bill is: a bill never changes.

alter table invoices add column language text not null default 'en' check (language in ('en', 'de'));
comment on column invoices.language is 'That of its titles, and of its file (BCP 47): of the first owner who chose one when it was written, else English.';
