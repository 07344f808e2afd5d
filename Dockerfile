# The runtime's image as scripts/image/ assembles it without Docker: the same files, from the same script.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /source
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/image/main.ts --folder /image

FROM scratch
COPY --from=build /image/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin:/
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node"]
