# The program in a small image. It needs a PostgreSQL (DATABASE_URL) and a key (TOKEN_KEY_FILES): see docker-compose.yml.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin fifty-fifty && \
    cp target/release/fifty-fifty /fifty-fifty

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Fifty-Fifty" \
      org.opencontainers.image.licenses="EUPL-1.2" \
      org.opencontainers.image.source="https://github.com/fifty-fifty/fifty-fifty"
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 10001 --user-group --shell /usr/sbin/nologin --create-home --home-dir /var/lib/fifty-fifty fifty-fifty && \
    install --directory --owner=10001 --group=10001 --mode=700 /var/lib/fifty-fifty/documents
COPY --from=build /fifty-fifty /usr/local/bin/fifty-fifty
COPY LICENSE data/README.md /usr/share/doc/fifty-fifty/

USER 10001
WORKDIR /var/lib/fifty-fifty
ENV HOST=0.0.0.0 PORT=8080 LOG_FORMAT=json
EXPOSE 8080
# Ready means that the database answers too. The image has no curl: Bash asks by itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["fifty-fifty"]
CMD ["serve"]
