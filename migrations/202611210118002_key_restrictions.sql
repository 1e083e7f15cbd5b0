-- What keys are held to beside their plan, keys that were made elsewhere, and the tags that scopes name.

alter table credentials
    add column scopes text[] not null default '{}',
    add column networks text[] not null default '{}',
    add column origins text[] not null default '{}',
    add column imported boolean not null default false;
comment on column credentials.scopes is 'What it may call: an API''s slug, alone or with /operationId or /tag:name; empty is everything.';
comment on column credentials.networks is 'Addresses and networks (CIDR) that it may be used from; empty is everywhere.';
comment on column credentials.origins is 'Sites on whose pages it may be used; empty is anywhere, and no page at all.';
comment on column credentials.imported is 'It was made elsewhere and came as the SHA-256 of its text: digest is the HMAC of that.';

alter table routes add column tags text[] not null default '{}';
comment on column routes.tags is 'Tags of the operation in the document in force, which scopes of keys may name.';
update routes r set tags = coalesce((
    select array_agg(tag order by at) from json_array_elements_text(
        case when json_typeof(d.document -> 'paths' -> r.path -> lower(r.method) -> 'tags') = 'array'
            then d.document -> 'paths' -> r.path -> lower(r.method) -> 'tags' else '[]' end) with ordinality t (tag, at)
), '{}')
from apis a join api_documents d on d.api_id = a.id and d.number = a.document_number
where a.id = r.api_id and json_typeof(d.document -> 'paths' -> r.path -> lower(r.method) -> 'tags') = 'array';
