# The gateway and the page, without TensorFlow.
#
#   docker build -f serving/deploy/gateway.Dockerfile -t sluiceway/gateway:0.1.0 --build-arg COMMIT="$(git rev-parse HEAD)" .
#   docker run --rm -p 8080:8080 -v "$PWD/gateway:/etc/sluiceway:ro" sluiceway/gateway:0.1.0 --config /etc/sluiceway/gateway.yaml
#
# docs/images.md has the build arguments. The first two stages are word for word those of the other images, so that all share them.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS python
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates libstdc++6 python3 && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log

FROM python AS builder
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ python3-dev python3-venv && \
    rm -rf /var/lib/apt/lists/*
ARG UV=0.13.8
# The secret "certificates" is only for networks whose exit inspects TLS; it is in no layer, and nothing asks for it elsewhere.
RUN --mount=type=secret,id=certificates \
    if [ -s /run/secrets/certificates ]; then export PIP_CERT=/run/secrets/certificates; fi; \
    python3 -m venv /opt/uv && /opt/uv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir "uv==$UV"
ENV PATH=/opt/uv/bin:$PATH UV_CACHE_DIR=/var/cache/uv UV_COMPILE_BYTECODE=1 UV_HTTP_TIMEOUT=300 UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/venv UV_PYTHON=/usr/bin/python3 UV_PYTHON_DOWNLOADS=never
WORKDIR /build

# What pyproject.toml says of dependencies, so that a change of anything else in it installs nothing anew.
FROM builder AS needs
COPY pyproject.toml ./
RUN awk '/^\[/ { kept = /^\[(project|tool\.uv)/ } kept' pyproject.toml >needs.toml

# Everything but our code, which is found through the .pth file. Left out is what nothing here runs: what paints a pipeline's run on a terminal
# (rich and what it needs), time zones that the system has, tests, sources for those who compile against a package, symbols for debuggers, and
# image formats that the gateway refuses.
FROM builder AS dependencies
COPY --from=needs /build/needs.toml pyproject.toml
COPY uv.lock ./
RUN --mount=type=cache,target=/var/cache/uv --mount=type=secret,id=certificates \
    if [ -s /run/secrets/certificates ]; then export SSL_CERT_FILE=/run/secrets/certificates; fi; \
    uv sync --quiet --frozen --no-install-project --extra gateway --extra tracing --no-install-package rich --no-install-package pygments \
      --no-install-package markdown-it-py --no-install-package mdurl --no-install-package tzdata && \
    packages=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
    cd "$packages" && \
    find . -depth -type d \( -name tests -o -name testing \) -path './numpy/*' -exec rm -rf {} + && \
    rm -rf /opt/venv/.lock numpy/f2py numpy/_core/include numpy/_core/lib numpy/random/lib numpy/random/_examples && \
    find . \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.a' \) -delete && \
    rm -f PIL/_avif*.so PIL/_webp*.so PIL/_imagingft*.so PIL/_imagingcms*.so PIL/_imagingtk*.so && \
    rm -f pillow.libs/libavif-* pillow.libs/libwebp* pillow.libs/libfreetype-* pillow.libs/libharfbuzz-* pillow.libs/libbrotli* \
          pillow.libs/liblcms2-* && \
    find . -name '*.so*' -type f -exec strip --strip-unneeded {} + && \
    echo /opt/sluiceway >"$packages/sluiceway.pth"

FROM dependencies AS code
# What builds a package. The image takes the environment from the stage before, without it.
RUN --mount=type=cache,target=/var/cache/uv --mount=type=secret,id=certificates \
    if [ -s /run/secrets/certificates ]; then export SSL_CERT_FILE=/run/secrets/certificates; fi; \
    version=$(awk '/^name = "setuptools"/ { getline; gsub(/version = |"/, ""); print; exit }' uv.lock) && \
    uv pip install --quiet --python /opt/venv/bin/python "setuptools==$version"
COPY LICENSE README.md pyproject.toml setup.py ./
COPY configs configs
COPY serving serving
COPY components components
COPY pipeline pipeline
RUN uv pip install --quiet --offline --no-deps --no-build-isolation --python /opt/venv/bin/python --target /opt/sluiceway . && rm -f /opt/sluiceway/.lock

# The system without what only people at a terminal, compilers and package managers want. What dpkg knows of packages stays, for scanners.
FROM python AS system
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/sluiceway --shell /usr/sbin/nologin sluiceway && \
    install -d -m 1777 /var/lib/sluiceway && install -d /etc/sluiceway /models && \
    find /usr/share -mindepth 1 -maxdepth 1 ! -name ca-certificates ! -name zoneinfo ! -name python3 -exec rm -rf {} + && \
    rm -rf /usr/lib/apt /usr/lib/dpkg /usr/lib/locale /usr/lib/systemd /usr/lib/udev /usr/lib/init /usr/libexec/dpkg /etc/apt /var/lib/apt \
           /var/lib/dpkg/info /var/lib/dpkg/*-old /var/cache /var/log /usr/lib/python3*/ensurepip /usr/lib/python3*/idlelib \
           /usr/lib/python3*/lib2to3 /usr/lib/python3*/pydoc_data /usr/lib/*-linux-gnu/perl* /usr/bin/perl* /usr/bin/apt* /usr/bin/dpkg* \
           /usr/lib/*-linux-gnu/libapt-* /usr/lib/*-linux-gnu/gconv /usr/lib/*-linux-gnu/libdb-* /usr/lib/*-linux-gnu/libsqlite3* \
           /usr/lib/*-linux-gnu/libsemanage* /usr/lib/*-linux-gnu/libsepol* /usr/lib/*-linux-gnu/security /usr/lib/python3*/test \
           /usr/bin/sqv /usr/bin/localedef /usr/bin/openssl /usr/sbin/* && \
    find / -xdev -type f -perm /6000 -delete && \
    rm -rf /root/.cache /tmp/* && install -d -m 1777 /tmp

# From nothing, so that what was taken away takes no place in a layer below.
FROM scratch
COPY --from=system / /
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=code /opt/sluiceway /opt/sluiceway
# Compiled at build time, above; as another user nothing could be written beside the sources anyway.
ENV PATH=/opt/sluiceway/bin:/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/sluiceway \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/sluiceway
EXPOSE 8080
# Healthy when a model server can be asked. An orchestrator asks /healthz too, to tell one from the other.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-I", "-c", \
"import urllib.request as web; web.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "serving.gateway"]
CMD ["--config", "/etc/sluiceway/gateway.yaml"]

ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="sluiceway-gateway" \
      org.opencontainers.image.description="The API and the page in front of TensorFlow model servers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
