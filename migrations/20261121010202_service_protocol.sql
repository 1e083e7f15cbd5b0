-- Services that are spoken to by HTTP/2, as gRPC needs it.

alter table services add column protocol text not null default 'h1' check (protocol in ('h1', 'h2', 'h2c'));
comment on column services.protocol is 'How it is spoken to: h1 (HTTP/1.1), h2 (HTTP/2 over TLS), h2c (HTTP/2 without TLS, prior knowledge).';
