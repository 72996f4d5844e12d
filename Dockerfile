# Menshen, small and without privileges. Needs nothing writable but /data and /tmp. To try it:
#
#   docker build -t menshen .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v menshen-data:/data -p 127.0.0.1:8400:8400 -e MENSHEN_SERVER__OUTBOX_ON_NETWORK=true menshen
#
# Until [sms] and [email] have a sender, codes go into the outbox; beyond loopback it wants to be told that this is meant.

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/pip.txt requirements/run.txt requirements/
# The versions and hashes of run.txt, wheels only: nothing is compiled or resolved, and nothing else gets in.
RUN python -m venv /opt/menshen \
 && /opt/menshen/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --no-deps --only-binary :all: -r requirements/pip.txt \
 && /opt/menshen/bin/pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --no-deps --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY requirements requirements
COPY src src
RUN /opt/menshen/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --no-index . \
 && /opt/menshen/bin/python -m compileall -q /opt/menshen/lib \
 && /opt/menshen/bin/pip uninstall --yes --quiet setuptools pip

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 menshen \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin --no-log-init menshen \
 && install -d -m 0700 -o menshen -g menshen /data
COPY --from=build /opt/menshen /opt/menshen
ENV PATH=/opt/menshen/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    MENSHEN_DATA=/data MENSHEN_SERVER__HOST=0.0.0.0 MENSHEN_SERVER__PORT=8400
USER 10001:10001
VOLUME /data
EXPOSE 8400
# SIGTERM drains; give it the ten seconds of [server] drain_seconds and a little more: docker stop -t 15.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['MENSHEN_SERVER__PORT'] + '/livez', timeout=2)"]
ENTRYPOINT ["menshen"]
CMD ["serve"]
