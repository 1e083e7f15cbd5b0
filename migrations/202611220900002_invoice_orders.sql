-- Invoices in the orders that lists offer.
create index invoices_number_id_idx on invoices (number, id);
create index invoices_total_idx on invoices (lpad(total_minor::text, 19, '0'), id);
