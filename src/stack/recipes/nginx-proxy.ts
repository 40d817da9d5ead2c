import { cacheConfig, mediaLocations, type MediaOrigin } from "./nginx-media.ts";
import { problems } from "./nginx-problems.ts";

/** Asked by those who want to know whether nginx runs; says nothing about the servers behind it. */
export const healthPath = "/nginx-health";

export interface ProxyOptions {
  /** What nginx's `listen` takes. */
  readonly listen: string;
  /** host:port of each `msgr serve`; at least one. */
  readonly servers: readonly string[];
  /** Where media is; undefined = no cache of it: /media is the servers' own. */
  readonly media: MediaOrigin | undefined;
  /** More locations, of whoever runs it. */
  readonly locations?: string;
}

/**
 * One address in front of the servers: what goes into `http`. deploy/nginx has the same.
 *
 * Any server can serve anybody, so that nobody has to be sent back to the one he had. Requests go to whoever has the fewest
 * under way: one that takes them and does not answer (stopped, swapping) gathers them and is left alone. For sockets it is
 * the other way round: clients leave one that hangs, and the fewest connections would draw all newcomers there; so they
 * take turns. Sockets also have a group of their own because a full or leaving server (503) is passed over for them and
 * still answers /api.
 */
export function proxyConfig({ listen, servers, media, locations = "" }: ProxyOptions): string {
  const members = servers.map((server) => `  server ${server} max_fails=1 fail_timeout=2s;`).join("\n");
  return `upstream msgr {
  zone msgr 64k;
  least_conn;
${members}
  keepalive 32;
  # Less than the servers' own 15 s: a POST on a connection that the other end is closing would be lost, and not repeated.
  keepalive_timeout 10s;
}
upstream msgr_sockets {
  zone msgr_sockets 64k;
${members}
}
map $http_upgrade $connection_header { default upgrade; "" ""; }
${media === undefined ? "" : cacheConfig(media)}server {
  listen ${listen};
  server_tokens off;
  # A part of an upload, for those who send media through here.
  client_max_body_size 9m;
  # Hop by hop: a server that does not take connections is passed over, and asked again after 2 s. What was sent to one is
  # sent to another only if doing it twice is doing it once (nginx: not POST, PATCH, LOCK).
  proxy_connect_timeout 2s;
  proxy_next_upstream error timeout;
  proxy_next_upstream_timeout 30s;
  proxy_http_version 1.1;
  error_page 502 504 = @no_server;
  location = ${healthPath} { default_type text/plain; return 200 "ok\\n"; }
${locations}  location = /ws {
    proxy_pass http://msgr_sockets;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_header;
    # 503: it is full, or leaves. Another one may have room.
    proxy_next_upstream error timeout http_502 http_503;
    # Longer than a server keeps a silent client (90 s): it is the server that decides. Two heartbeats get lost before.
    proxy_read_timeout 120s;
    proxy_send_timeout 120s;
  }
  location / {
    proxy_pass http://msgr;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Connection "";
    proxy_read_timeout 10s;
  }
  # Not with a slash at its end: nginx would send those who leave it out there, and a POST arrives as a GET.
  location /api/media {
    proxy_pass http://msgr;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Connection "";
    # The end of an upload takes as long as reading 100 MB does.
    proxy_read_timeout 60s;
  }
${media === undefined ? "" : mediaLocations(media)}  location @no_server {
    default_type application/problem+json;
    add_header Retry-After 1 always;
    add_header Cache-Control no-store always;
    return 503 '${problems.draining}';
  }
}
`;
}
