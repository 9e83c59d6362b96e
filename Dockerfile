# syntax=docker/dockerfile:1
# The gateway without the embedded database, on the base image's own Node. At run time it needs the sources
# and the production dependencies. Nothing is built, because production does not serve the explorer page.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# --ignore-scripts: `prepare` builds the explorer page, for which the development packages would be needed.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY schema ./schema
COPY src ./src
# Attachments, when BLOBS_URL is a folder: mount a volume that all processes share.
RUN mkdir -p /var/lib/ticketwire && chown node:node /var/lib/ticketwire
VOLUME /var/lib/ticketwire
USER node
EXPOSE 4000
# Node itself is the first process, so that it hears SIGTERM and drains.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD node -e "fetch('http://127.0.0.1:' + process.env.PORT + '/health/ready') \
    .then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "--max-semi-space-size=16", "--no-allocation-site-pretenuring", "src/main.ts"]
