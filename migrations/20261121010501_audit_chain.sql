-- The audit log as a chain: each entry is sealed together with the seal of the one before, under a key that the database
-- does not have. Whoever edits or removes a row cannot make the seals fit again.

-- Given by the writer, in commit order and without gaps, under the row lock that gives revisions.
alter table audit_entries alter column sequence drop identity;

alter table audit_entries
    add column face        text check (face in ('admin_api', 'portal', 'cli')),
    add column address     text check (length(address) <= 45),
    add column user_agent  text check (length(user_agent) <= 200),
    add column key_version smallint,
    add column seal        bytea check (length(seal) = 32);
comment on column audit_entries.face is 'Through which face the actor came; null for what Tollgate does by itself.';
comment on column audit_entries.address is 'The IP address the request came from.';
comment on column audit_entries.key_version is 'Which pepper the key of the seal was made from.';
comment on column audit_entries.seal is 'HMAC-SHA-256 over the seal before and this entry. Null only at the beginning of logs older than the chain.';

create index audit_entries_subject_idx on audit_entries (subject_id, sequence);
create index audit_entries_request_idx on audit_entries (request_id);

create trigger audit_entries_never_emptied before truncate on audit_entries
    for each statement execute function audit_is_append_only();
