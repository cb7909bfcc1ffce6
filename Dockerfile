# An IRIS server with MeetUp2025 installed: a model for photographs, `sketch`, ONNX Runtime, no torch.
#
# The model is downloaded while the image is built: 229 MB. MODEL is another name of `meetup2025 model available`, or a
# repository a/b of the Hugging Face Hub, whose export needs 2 GB of libraries that stay out of the image. REVISION fixes
# the commit of a repository. --build-arg MODEL=sketch downloads none.
# `scripts/pins.py` writes the newest digests here, and a job proposes them each month.
#
# The base is the Community Edition of InterSystems' own registry, extended-maintenance release; it needs no login. Its
# licence ends about a year after the release: then take a newer one, with --build-arg IRIS=… (2025.1 and later fit).
ARG IRIS=containers.intersystems.com/intersystems/iris-community:2026.1
ARG MODEL=clip-multilingual
ARG REVISION

# IPM, at a fixed version: the file that its README names for servers without internet.
FROM scratch AS ipm
ADD --chmod=0444 https://pm.community.intersystems.com/packages/zpm/0.10.9/installer /zpm.xml

# The model: what its authors publish, tested or exported. Code that it brings runs here alone.
FROM python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea AS model
WORKDIR /meetup2025
COPY LICENSE README.md pyproject.toml ./
COPY src src
COPY iris-docker/model iris-docker/model
ARG MODEL
ARG REVISION
ENV MEETUP2025_MODELS=/models PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu PIP_NO_CACHE_DIR=1
RUN MODEL="${MODEL}" REVISION="${REVISION}" iris-docker/model

FROM ${IRIS}

# A new volume takes over the owner of the folder that it is mounted on; IRIS is 51773 (irisowner).
USER 0
RUN install --directory --owner=51773 --group=51773 /durable /models /opt/meetup2025 /photos
USER 51773

ENV LANG=C.UTF-8 PYTHONUTF8=1 MEETUP2025_MODELS=/models:/opt/models MEETUP2025_PHOTOS=/photos

WORKDIR /opt/meetup2025
COPY --chown=51773:51773 LICENSE module.xml requirements.txt ./
COPY --chown=51773:51773 preload preload
COPY --chown=51773:51773 src src
COPY --chown=51773:51773 tests/iris tests/iris
COPY --chown=51773:51773 iris-docker iris-docker
COPY --from=model --chown=51773:51773 /models /opt/models

# One step, so that no layer holds a server that has not been stopped. TESTS=1 runs the tests of the module in it.
ARG MODEL
ARG TESTS=0
RUN --mount=type=bind,from=ipm,source=/zpm.xml,target=/tmp/zpm.xml \
    PIP_NO_CACHE_DIR=1 MODEL="${MODEL}" TESTS="${TESTS}" iris-docker/build

EXPOSE 1972 52773
HEALTHCHECK --interval=30s --timeout=30s --start-period=5m --retries=3 CMD ["/opt/meetup2025/iris-docker/healthy"]
ENTRYPOINT ["/opt/meetup2025/iris-docker/start"]
