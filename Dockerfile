# syntax=docker/dockerfile:1

# One image, one binary; the role is the command: gateway, admin-api, portal, migrate, setup-link, token.
# There is no PostgreSQL in it: set DATABASE_URL. docker-compose.yml shows all roles together.

FROM rust:1.95-bookworm AS build
# cmake: zlib-ng, which the proxy compresses with, is built from its sources.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# PROFILED=1 guides the build by a profile of a training run (scripts/release): a few per cent less CPU for a call, and
# two builds more.
ARG PROFILED=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    if [ "$PROFILED" = 1 ]; then \
        apt-get update && apt-get install --yes --no-install-recommends \
            nginx-light nghttp2-client openssl postgresql python3 wrk \
        && built="$(scripts/release | tail -n 1)"; \
    else \
        cargo build --locked --profile dist --bin tollgate && built=target/dist/tollgate; \
    fi \
    && install -D "$built" /out/tollgate

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 tollgate \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/tollgate --shell /usr/sbin/nologin tollgate \
    && install -d -o tollgate -g tollgate -m 0700 /var/lib/tollgate
COPY --from=build /out/tollgate /usr/local/bin/tollgate
COPY --chmod=0755 scripts/probe /usr/local/bin/probe
USER 10001:10001
WORKDIR /var/lib/tollgate
# Inside a container loopback reaches nobody; what is published is the engine's decision.
ENV TOLLGATE_DATA_DIR=/var/lib/tollgate \
    TOLLGATE_GATEWAY_LISTEN=0.0.0.0:8080 \
    TOLLGATE_ADMIN_LISTEN=0.0.0.0:8081 \
    TOLLGATE_PORTAL_LISTEN=0.0.0.0:3000 \
    TOLLGATE_OPERATOR_LISTEN=0.0.0.0:9090 \
    TOLLGATE_LOG_FORMAT=json
VOLUME /var/lib/tollgate
# Consumers, admin API, portal, and health and metrics of the gateway.
EXPOSE 8080 8081 3000 9090
ENTRYPOINT ["/usr/local/bin/tollgate"]
CMD ["--help"]
