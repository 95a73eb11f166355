# scripts/image-proof.mjs runs these steps without a container engine: keep to the instructions that it knows.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --prefer-offline
COPY tsconfig.json ./
COPY scripts/build.mjs scripts/
COPY schemas schemas
COPY src src
RUN node scripts/build.mjs
RUN find dist -name '*.map' -delete
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

# glibc, libstdc++ and root certificates: no shell, no package manager, no npm.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mgateway" \
      org.opencontainers.image.description="An API gateway whose routes are Kubernetes-style YAML resources, reloaded without a restart" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /src/package.json /app/package.json
COPY --from=build /src/node_modules /app/node_modules
COPY --from=build /src/schemas /app/schemas
COPY --from=build /src/dist /app/dist
WORKDIR /app
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 8080 9902
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/node", "/app/dist/main.js", "health"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/mgateway/resources", "--probes", "0.0.0.0:9902"]
