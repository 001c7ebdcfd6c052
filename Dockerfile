# docker build -t gatehouse .
# docker run -p 8080:8080 -v ./config:/app/config:ro gatehouse      (reads config/gatehouse.yaml, or $GATEHOUSE_CONFIG)

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
RUN npm run build

FROM base
COPY --from=node /node/node /usr/local/bin/node
# Inside a container only 0.0.0.0 can be reached from outside; which port is published, `docker run -p` says.
ENV NODE_ENV=production \
    GATEHOUSE_LISTEN_HOST=0.0.0.0 \
    GATEHOUSE_OPERATIONS_HOST=0.0.0.0
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY views views
COPY --from=build /app/dist dist
USER node
EXPOSE 8080 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["node", "dist/cli/healthcheck.js"]
CMD ["node", "dist/main.js"]
