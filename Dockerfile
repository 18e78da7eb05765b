# For those who can pull base images. Where none can be pulled, `scripts/containers build` makes an image from scratch.
#
#   docker build -t guantong .
#   docker run --rm -v /srv/guantong:/data -v /srv/guantong.secrets:/data.secrets guantong run --config /data/node.toml

FROM rust:1-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked -p node --bin guantong

FROM debian:bookworm-slim
COPY --from=build /source/target/release/guantong /usr/bin/guantong
COPY --from=build /source/LICENSE /usr/share/doc/guantong/LICENSE
# The data folder is the operator's: keys, ledger, tables. Run as the user it belongs to (`--user`).
VOLUME /data
# The key under which files and personal content lie there; without it they are lost. Never on the same disk or backup.
VOLUME /data.secrets
EXPOSE 7100 7180
ENTRYPOINT ["/usr/bin/guantong"]
CMD ["run", "--config", "/data/node.toml"]
