-- How the portal looks, and the publisher's own pages in it.

create table portal (
    is_the_one  boolean primary key default true check (is_the_one),
    name        text not null check (length(name) between 1 and 60),
    accent      text check (accent ~ '^#[0-9a-f]{6}$'),
    accent_dark text check (accent_dark ~ '^#[0-9a-f]{6}$'),
    theme       text not null check (theme in ('auto', 'light', 'dark')),
    navigation  jsonb not null,
    footer      jsonb not null,
    logo        text check (length(logo) <= 100000),
    logo_digest text generated always as (md5(logo)) stored,
    version     bigint not null default 1
);
comment on table portal is 'Name, colours, logo and links of the portal; no row where nobody has changed them.';
comment on column portal.accent is 'Colour of what can be pressed; none is the design''s own.';
comment on column portal.accent_dark is 'The same in the dark theme; none where it is made from the other.';
comment on column portal.navigation is 'Links in the header: a list of text and href.';
comment on column portal.logo is 'A picture as a data: URL (RFC 2397).';
comment on column portal.logo_digest is 'Names the picture in its address, so that pages need not read it.';

create table pages (
    id            uuid primary key,
    slug          text not null constraint pages_slug_key unique,
    title         text not null check (length(title) between 1 and 120),
    text          text not null check (length(text) <= 50000),
    in_navigation boolean not null,
    position      smallint not null check (position between 0 and 1000),
    version       bigint not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
comment on table pages is 'Pages of the publisher''s in the portal.';
comment on column pages.text is 'Markdown below the heading.';
comment on column pages.position is 'Smaller ones first, then by title.';
