-- Guests: visitors who try calls of a product without an account.

create table guest_access (
    product_id      uuid primary key references products (id) on delete cascade,
    application_id  uuid not null references applications (id),
    credential_id   uuid not null references credentials (id),
    created_at      timestamptz not null default now()
);
comment on table guest_access is 'Products that visitors may try without an account: the application and key that their calls are made and counted as. Nobody holds the key''s text; calls go by grants of the portal.';
comment on column guest_access.credential_id is 'Revoked, or its application ended: guests are refused until access is opened anew.';
