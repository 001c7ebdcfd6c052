# docker build -t gatehouse .      (with version and revision, and for arm64 as well: docker buildx bake -f deploy/image/docker-bake.hcl)
# docker run -p 8080:8080 -v ./config:/app/config:ro gatehouse      (reads config/gatehouse.yaml, or $GATEHOUSE_CONFIG)
# docker run --rm gatehouse help      (every command: the image is `gatehouse`)

# The base by its digest: its system, its certificates, its npm. Its own Node has known holes and runs nothing of ours.
FROM node:24.21.0-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS base

# The Node that all tests ran on, held by the hashes of its lockfile (decision 0025).
FROM base AS node
WORKDIR /node
COPY deploy/image/package.json deploy/image/package-lock.json .npmrc ./
RUN npm ci --ignore-scripts && mv node_modules/node-linux-*/bin/node node && ./node --version

FROM base AS build
COPY --from=node /node/node /usr/local/bin/node
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && chmod 755 dist/cli/gatehouse.js

FROM base
COPY --from=node /node/node /usr/local/bin/node
# Inside a container only 0.0.0.0 can be reached from outside; which port is published, `docker run -p` says.
ENV NODE_ENV=production \
    GATEHOUSE_LISTEN_HOST=0.0.0.0 \
    GATEHOUSE_OPERATIONS_HOST=0.0.0.0
# On PATH, and without a shell between it and the signals.
WORKDIR /usr/local/bin
RUN ln -s ../../../app/dist/cli/gatehouse.js gatehouse
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY views views
COPY --from=build /app/dist dist
# Last, so that a new revision makes one layer anew.
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gatehouse" \
    org.opencontainers.image.description="A device-authorization broker (RFC 8628) before the OpenID provider that a company already has" \
    org.opencontainers.image.source="https://github.com/gatehouse-broker/gatehouse" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# As a number, by which Kubernetes sees that it is not root. Any other does as well: nothing is written, and all can be read.
USER 1000:1000
EXPOSE 8080 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["node", "/app/dist/cli/healthcheck.js"]
ENTRYPOINT ["gatehouse"]
# The ready line is collected with the log, whose lines are JSON.
CMD ["start", "--ready-line", "json"]
