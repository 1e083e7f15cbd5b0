-- Certificates are found by the words of their hosts, as everything else is by its name.

create function joined_names(text[]) returns text language sql immutable parallel safe strict
    return array_to_string($1, ' ');
comment on function joined_names(text[]) is 'Hosts between spaces; declared immutable, which array_to_string of texts is, so that an index can hold it.';
create index certificates_words_idx on certificates using gin (search_words(slug || ' ' || joined_names(names)));
create index certificates_ends_idx on certificates (valid_until);
