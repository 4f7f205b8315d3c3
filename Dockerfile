# Two images of one program: `service` answers over HTTP, `nightly` validates, trains and predicts.
#   docker build --target service --tag pozytywka-service:0.1.0 .
#   docker build --target nightly --tag pozytywka-nightly:0.1.0 .
# Behind a private package index: --secret id=pip.conf,src=PIP.CONF (it does not become a part of the image).

FROM docker.io/library/python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

# pip installs into the virtual environment from outside, which so has none
FROM base AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/pozytywka
COPY constraints.txt ./

FROM build AS service-build
COPY deploy/service-requirements.txt ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m pip --python /opt/pozytywka install -r service-requirements.txt -c constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY pozytywka_cli ./pozytywka_cli
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m pip --python /opt/pozytywka install --no-deps .

FROM build AS nightly-build
COPY pyproject.toml README.md LICENSE ./
COPY pozytywka_cli ./pozytywka_cli
# PyPI's torch brings 2 GB of CUDA libraries; the one of this index is for CPUs, and its version sorts higher
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m pip --python /opt/pozytywka install -c constraints.txt \
    --extra-index-url https://download.pytorch.org/whl/cpu '.[serve,plot,forecast]'

# volumes that are empty take over the owner of the folders below them; Kubernetes wants the user as a number
FROM base AS runtime
LABEL org.opencontainers.image.title="pozytywka" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 pozytywka \
    && useradd --uid 10001 --gid pozytywka --no-create-home --home-dir /srv/pozytywka --shell /usr/sbin/nologin pozytywka \
    && install --directory --owner pozytywka --group pozytywka /srv/pozytywka/data /srv/pozytywka/artifacts
ENV PATH=/opt/pozytywka/bin:$PATH \
    POZYTYWKA_DATA_DIR=/srv/pozytywka/data \
    POZYTYWKA_ARTIFACTS_DIR=/srv/pozytywka/artifacts \
    POZYTYWKA_LOG_FORMAT=json
WORKDIR /srv/pozytywka
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["pozytywka"]

FROM runtime AS nightly
COPY --from=nightly-build /opt/pozytywka /opt/pozytywka
COPY --chmod=0755 deploy/nightly.sh /usr/local/bin/nightly
CMD ["--help"]

FROM runtime AS service
COPY --from=service-build /opt/pozytywka /opt/pozytywka
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
