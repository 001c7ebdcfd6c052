# docker build -t gatehouse .
# docker run -p 8080:8080 -v ./config:/app/config:ro gatehouse      (reads config/gatehouse.yaml, or $GATEHOUSE_CONFIG)

# The newest release of the recommended line that all tests ran on. `npm run image:pin` writes its digest here at a release.
FROM node:24.22.3-slim AS base

FROM base AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM base
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
