# `docker build -t msgr .`; what it runs is what `npm run build` makes.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/bin ./bin
COPY --from=build /build/dist ./dist
COPY --from=build /build/cql ./cql
COPY --from=build /build/sql ./sql
COPY --from=build /build/scenarios ./scenarios
RUN ln -s /app/bin/msgr /usr/local/bin/msgr && mkdir -p /var/lib/msgr && chown node /var/lib/msgr
USER node
VOLUME /var/lib/msgr
ENV MSGR_DATA__DIRECTORY=/var/lib/msgr
EXPOSE 8080 8081
# `serve` drains on it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["msgr"]
CMD ["serve"]
