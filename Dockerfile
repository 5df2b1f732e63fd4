# Builds with all dependencies, then keeps what runs.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY scripts ./scripts
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build
# Keeps what runs. Of the optional peers of the library the image has those that the gateway uses; npm would
# take them for development dependencies, so these go from package.json first.
RUN npm pkg delete devDependencies peerDependenciesMeta peerDependencies.graphql \
      'peerDependencies[@nestjs/microservices]' 'peerDependencies[@nestjs/websockets]' && \
    npm prune --omit=optional --no-audit --no-fund
RUN mkdir -p run/data run/keys

FROM node:26-slim
# What is freed goes back to the system: about 10 MB less per process (bench/README.md).
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The only places that are written to, and only data is in production: everything else may be read-only.
COPY --from=build --chown=1000:1000 /app/run ./
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME ["/app/data"]
EXPOSE 8080 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm in between: node is PID 1 and gets the signals. The options give the young generation 8 MB from
# the start, in place of up to 60; the rest of the heap follows the memory limit of the container.
CMD ["node", "--min-semi-space-size=8", "--max-semi-space-size=8", "dist/main.js"]
