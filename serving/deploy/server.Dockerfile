# The model server under TF Serving's names: its command, its entry point, its ports, its variables.
#
#   docker build -f serving/deploy/server.Dockerfile -t sluiceway/server:0.1.0 --build-arg COMMIT="$(git rev-parse HEAD)" .
#   docker run --rm -p 8501:8501 -v "$PWD/state/store:/models:ro" -e MODEL_NAME=taxi sluiceway/server:0.1.0
#
# docs/images.md has the build arguments. The first two stages are word for word those of the others, so that all images share them.
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

# Everything but our code, which is found through the .pth file. TensorFlow's headers serve only those who compile against it.
FROM builder AS dependencies
COPY --from=needs /build/needs.toml pyproject.toml
COPY uv.lock ./
RUN --mount=type=cache,target=/var/cache/uv --mount=type=secret,id=certificates \
    if [ -s /run/secrets/certificates ]; then export SSL_CERT_FILE=/run/secrets/certificates; fi; \
    uv sync --quiet --frozen --no-install-project --extra server && \
    packages=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
    rm -rf /opt/venv/.lock "$packages/tensorflow/include" && \
    echo /opt/sluiceway >"$packages/sluiceway.pth"

FROM dependencies AS code
COPY LICENSE README.md pyproject.toml setup.py ./
COPY configs configs
COPY serving serving
COPY components components
COPY pipeline pipeline
RUN uv pip install --quiet --offline --no-deps --no-build-isolation --python /opt/venv/bin/python --target /opt/sluiceway . && rm -f /opt/sluiceway/.lock

FROM python
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/sluiceway --shell /usr/sbin/nologin sluiceway && \
    install -d -m 1777 /var/lib/sluiceway && install -d /models
COPY --from=dependencies /opt/venv /opt/venv
COPY serving/deploy/tensorflow_model_server serving/deploy/tf_serving_entrypoint.sh /usr/bin/
COPY --from=code /opt/sluiceway /opt/sluiceway
# Compiled at build time, above; as another user nothing could be written beside the sources anyway.
ENV PATH=/opt/sluiceway/bin:/opt/venv/bin:$PATH HOME=/var/lib/sluiceway PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    MODEL_BASE_PATH=/models MODEL_NAME=model SLUICEWAY_BIND=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/sluiceway
EXPOSE 8500 8501
# TF Serving's status is 200 even when every version failed, so the states are read.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-I", "-c", "\
import os, sys, urllib.request as web; \
sys.exit(b'\"AVAILABLE\"' not in web.urlopen('http://127.0.0.1:8501/v1/models/' + os.environ['MODEL_NAME'], timeout=4).read())"]
ENTRYPOINT ["/usr/bin/tf_serving_entrypoint.sh"]

ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="sluiceway-server" \
      org.opencontainers.image.description="Serves SavedModels over TF Serving's REST and gRPC APIs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
