# One image for every process; docker-compose.yml says which command each runs.
# Every step is a make target, so that it is tried without an engine too (tests/test_packaging.py).

FROM python:3.13-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY Makefile requirements.lock ./
COPY cqops/__init__.py cqops/
COPY cqops/platform/__init__.py cqops/platform/
COPY cqops/platform/local cqops/platform/local
RUN make image-dependencies
COPY . .
RUN make image-static
RUN make image-folders

FROM python:3.13-slim-bookworm
ENV PATH=/opt/cqops/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /opt/cqops /opt/cqops
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /app/build/data /data
COPY --from=build --chown=10001:10001 /app/build/anchors /anchors
COPY --from=build --chown=10001:10001 /app/build/spool /spool
USER 10001:10001
EXPOSE 8000 8001
CMD ["python", "manage.py", "check", "--deploy"]
