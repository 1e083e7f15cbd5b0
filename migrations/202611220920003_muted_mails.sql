-- Which mails people do without.

create table muted_mails (
    organization_id uuid not null,
    user_id         uuid not null,
    topic           text not null check (topic in ('quota_50', 'quota_80', 'quota_100', 'credits', 'key_expiry', 'invoice',
                        'payment', 'trial', 'decision', 'api', 'team', 'webhook')),
    primary key (organization_id, user_id, topic),
    foreign key (organization_id, user_id) references members (organization_id, user_id) on delete cascade
);
alter table muted_mails enable row level security;
create policy tenant on muted_mails
    using (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid)
    with check (organization_id = nullif(current_setting('tollgate.organization', true), '')::uuid);
comment on table muted_mails is 'Mails that a member switched off; what has no row is sent. Mails about the safety of an account are none of these topics.';
comment on column muted_mails.topic is 'What the mails are about; quota_50 to quota_100 are those about spend caps too.';
