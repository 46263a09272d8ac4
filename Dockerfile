# One image for every service of ours; docker-compose.yml gives each its command.
# Nothing embedded is started here: PostgreSQL, Kafka and the mail sink are stock images.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/ates
WORKDIR /app
RUN python -m venv "$VIRTUAL_ENV"
COPY requirements/ requirements/
# The locks carry a hash for every file: what they do not name is not installed.
RUN "$VIRTUAL_ENV/bin/pip" install --no-cache-dir --require-hashes -r requirements/uv.lock \
 && "$VIRTUAL_ENV/bin/uv" pip install --no-cache --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md ./
COPY contracts/ contracts/
COPY ops_api/ ops_api/
COPY pipelines/ pipelines/
COPY warehouse/ warehouse/
COPY dashboards/ dashboards/
COPY ates/ ates/
COPY examples/ examples/
RUN "$VIRTUAL_ENV/bin/uv" pip install --no-cache --no-deps --no-build-isolation --editable . \
 && "$VIRTUAL_ENV/bin/python" -m compileall -q /app "$VIRTUAL_ENV"

FROM python:3.11-slim
ENV PATH=/opt/ates/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ATES_HOME=/var/lib/ates
RUN groupadd --gid 10001 ates \
 && useradd --uid 10001 --gid ates --home-dir /var/lib/ates --shell /usr/sbin/nologin ates \
 && install --directory --owner ates --group ates --mode 0750 /var/lib/ates /var/lib/ates/lake
COPY --from=build /opt/ates /opt/ates
COPY --from=build /app /app
WORKDIR /app
USER ates
VOLUME ["/var/lib/ates"]
STOPSIGNAL SIGTERM
ENTRYPOINT []
CMD ["ates", "--help"]
