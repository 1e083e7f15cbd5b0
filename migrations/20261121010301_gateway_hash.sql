-- Whether two gateways at one revision run the same.

alter table gateway_nodes add column hash text;
comment on column gateway_nodes.hash is 'What the revision is made of, routes and keys: equal wherever the same configuration runs. Null until it was saved to disk, about a second after a change.';
