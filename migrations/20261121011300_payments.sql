-- Paying: what a provider knows of us, what was paid, given back or failed, and what happens to whoever does not pay.

alter table plans
    add column unpaid_landing text not null default 'block' check (unpaid_landing in ('block', 'throttle', 'go_on')),
    add column grace_days smallint check (grace_days between 0 and 365);
comment on column plans.unpaid_landing is 'What becomes of calls when a bill stays unpaid past its grace: refused with 402, held to the limits of the product''s free plan, or nothing.';
comment on column plans.grace_days is 'Days between a payment that failed and its landing; null: three.';

alter table organizations add column grace_days smallint check (grace_days between 0 and 365);
comment on column organizations.grace_days is 'As of plans, for this customer; goes before the plans''.';

alter table subscriptions
    add column unpaid boolean not null default false,
    add column landed_plan_id uuid references plans (id);
comment on column subscriptions.unpaid is 'A bill for it is unpaid and its grace is over: gateways refuse its calls with 402.';
comment on column subscriptions.landed_plan_id is 'Instead: the free plan of its product whose limits hold until the bill is paid. The terms that it is billed by stay.';

alter table invoices
    add column provider_ref text unique,
    add column hosted_url text,
    add column tax_minor bigint not null default 0 check (tax_minor >= 0),
    add column attempts integer not null default 0 check (attempts >= 0),
    add column attempt_at timestamptz,
    add column failed_at timestamptz,
    add column failure text,
    add column grace_until timestamptz,
    add column landed_at timestamptz,
    add column refunded_minor bigint not null default 0 check (refunded_minor >= 0),
    add column credited_minor bigint not null default 0 check (credited_minor >= 0);
create index invoices_grace_idx on invoices (grace_until) where state = 'open' and landed_at is null;
comment on column invoices.provider_ref is 'What the payment provider calls it, once it has it.';
comment on column invoices.hosted_url is 'Where the provider shows it.';
comment on column invoices.tax_minor is 'Tax that the provider put on top of total_minor.';
comment on column invoices.attempts is 'How often it was tried to be collected.';
comment on column invoices.attempt_at is 'When it is tried next; null: not by us.';
comment on column invoices.failed_at is 'When a payment failed first, or its due date passed: from then on the days of grace count.';
comment on column invoices.failure is 'Why the last attempt failed, in the provider''s words.';
comment on column invoices.landed_at is 'When its grace was over and subscriptions were stopped or throttled for it.';

create table payment_accounts (
    organization_id uuid primary key references organizations (id),
    provider        text not null,
    customer_ref    text not null,
    method_ref      text,
    method_label    text,
    tax_id_ref      text,
    tax_id          text,
    updated_at      timestamptz not null default now(),
    unique (provider, customer_ref)
);
comment on table payment_accounts is 'Who an organization is at the payment provider, and what its bills are collected from. No card number is here, or ever was.';
comment on column payment_accounts.method_label is 'As people know it: Visa ending in 4242, 12/2030.';
comment on column payment_accounts.tax_id is 'A VAT number, say, with its kind before it: eu_vat DE123456789.';

create table checkouts (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    user_id         uuid references users (id),
    kind            text not null check (kind in ('setup', 'payment')),
    invoice_id      uuid references invoices (id),
    subscription_id uuid references subscriptions (id),
    plan_id         uuid references plans (id),
    provider_ref    text unique,
    state           text not null default 'open' check (state in ('open', 'completed', 'expired')),
    created_at      timestamptz not null default now(),
    settled_at      timestamptz,
    check ((kind = 'payment') = (invoice_id is not null))
);
create index checkouts_organization_idx on checkouts (organization_id, created_at);
create index checkouts_invoice_idx on checkouts (invoice_id) where state = 'open';
comment on table checkouts is 'Visits to the provider''s page: to leave a way to pay (setup), or to pay an invoice. Only what the provider says completes one, never that somebody came back.';
comment on column checkouts.plan_id is 'The plan that subscription_id moves to when this completes.';

create table payments (
    id              uuid primary key,
    organization_id uuid not null references organizations (id),
    invoice_id      uuid not null references invoices (id),
    kind            text not null check (kind in ('payment', 'failure', 'refund', 'credit')),
    state           text not null default 'done' check (state in ('pending', 'done', 'failed')),
    amount_minor    bigint not null check (amount_minor >= 0),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    provider        text not null,
    provider_ref    text,
    of_payment      uuid references payments (id),
    note            text,
    at              timestamptz not null default now(),
    unique (provider, kind, provider_ref)
);
create index payments_invoice_idx on payments (invoice_id, at);
create index payments_kind_idx on payments (kind, at);
comment on table payments is 'Money that came, did not come, or went back. Rows are never changed but for their state and reference.';
comment on column payments.kind is 'credit: an invoice was lowered by a credit note; refund: money of a payment went back.';
comment on column payments.state is 'pending: asked of the provider, not confirmed yet.';

create table provider_calls (
    purpose    text primary key,
    key        uuid not null default gen_random_uuid(),
    first_at   timestamptz not null default now(),
    last_at    timestamptz not null default now(),
    attempts   integer not null default 1,
    done_at    timestamptz,
    answer     text,
    error      text
);
create index provider_calls_waiting_idx on provider_calls (first_at) where done_at is null;
comment on table provider_calls is 'Every call that changes something at the payment provider, written before it is made: purpose says what for, once. key is its idempotency key, the same at every attempt.';
comment on column provider_calls.first_at is 'Providers forget keys after a day. A call older than that is looked up there before it is made again.';
comment on column provider_calls.answer is 'What the provider calls the thing that was made.';

create table provider_events (
    id          text primary key,
    kind        text not null,
    object_id   text,
    api_version text,
    happened_at timestamptz not null,
    received_at timestamptz not null default now(),
    deliveries  integer not null default 1,
    state       text not null default 'queued' check (state in ('queued', 'done', 'ignored', 'foreign')),
    note        text,
    handled_at  timestamptz
);
create index provider_events_received_idx on provider_events (received_at);
comment on table provider_events is 'What the provider told us, once each by its id. Bodies are not kept: what an event is about is fetched again, so that order does not matter.';
comment on column provider_events.state is 'ignored: of a kind that we do nothing about; foreign: of another mode than ours, to be looked at.';

create table reconciliations (
    id          uuid primary key,
    ran_at      timestamptz not null default now(),
    checked     integer not null,
    differences jsonb not null default '[]' check (jsonb_typeof(differences) = 'array')
);
comment on table reconciliations is 'What comparing our invoices with the provider''s found: [{invoice_id, number, what, ours, theirs}].';

do $$
declare
    t text;
begin
    foreach t in array array['payment_accounts', 'checkouts', 'payments'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy tenant on %I
            using (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)
            with check (organization_id = nullif(current_setting(''tollgate.organization'', true), '''')::uuid)', t);
    end loop;
end
$$;
