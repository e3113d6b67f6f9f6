# syntax=docker/dockerfile:1
# NTK Server in two stages: what builds it, and what it needs to run.
#
#   docker build --tag ntk-server .
#   docker run --rm --read-only --tmpfs /tmp --volume ntk-data:/data --publish 127.0.0.1:8080:8080 --env NTK_NO_AUTH=true ntk-server
#
# Without an engine: Deploy/image/build (buildah, with base images made from Debian's packages).
ARG SWIFT_VERSION=6.3.1
ARG DEBIAN_RELEASE=bookworm

FROM docker.io/library/swift:${SWIFT_VERSION}-${DEBIAN_RELEASE} AS build
# hadolint ignore=DL3008
RUN apt-get update --quiet=2 \
    && apt-get install --quiet=2 --yes --no-install-recommends libdeflate-dev libfmt-dev libopenblas-dev libsimdjson-dev libssl-dev libyaml-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# Everything of Swift goes into the one file; -s leaves the symbols out.
RUN swift build --configuration release --product ntk-server --static-swift-stdlib -Xlinker -s \
    && install -D --mode=0755 "$(swift build --configuration release --show-bin-path)/ntk-server" /out/usr/bin/ntk-server

FROM docker.io/library/debian:${DEBIAN_RELEASE}-slim
# hadolint ignore=DL3008
RUN apt-get update --quiet=2 \
    && apt-get install --quiet=2 --yes --no-install-recommends libdeflate0 libopenblas0-pthread libsimdjson14 libssl3 libyaml-0-2 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log /usr/share/doc/* /usr/share/man/* \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ntk \
    && install -d --owner=ntk --group=ntk --mode=0750 /data
COPY --from=build /out/ /

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="NTK Server" \
      org.opencontainers.image.description="Neural tangent kernels over HTTP" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The container's own limits decide how much memory and how many cores are used.
ENV NTK_HOST=0.0.0.0 \
    NTK_PORT=8080 \
    NTK_DATA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/bin/ntk-server", "health"]
ENTRYPOINT ["/usr/bin/ntk-server"]
CMD ["serve"]
