import { problems } from "./nginx-problems.ts";

export interface MediaOrigin {
  /** `http://host:port` or `https://…`, as the servers sign for it (s3.endpoint). */
  readonly endpoint: string;
  /** Folder of the cache. */
  readonly folder: string;
  /** Bound on its size, as nginx writes sizes. */
  readonly sizeMax: string;
}

/** What the cache needs outside of `server`. It is bounded in size, and leaves room on the disk for whoever shares it. */
export function cacheConfig({ endpoint, folder, sizeMax }: MediaOrigin): string {
  return `proxy_cache_path ${folder} levels=1:2 keys_zone=media:10m max_size=${sizeMax} min_free=512m inactive=7d use_temp_path=off;
upstream media_origin {
  server ${hostAndPort(endpoint)};
  keepalive 16;
}
`;
}

function hostAndPort(endpoint: string): string {
  const { hostname, port, protocol } = new URL(endpoint);
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}

/**
 * Media: a server is asked before the cache is (auth_request), with the address as it came; it names the object, which is
 * the key of the cache, and the way to its origin. So nothing is served from the cache on the word of a path, and every
 * signature of an object leads to the same copy. nginx talks to no other origin than this one, whatever a server answers.
 */
export function mediaLocations({ endpoint }: MediaOrigin): string {
  const { host, hostname, protocol } = new URL(endpoint);
  const tls = `\n    proxy_ssl_server_name on;\n    proxy_ssl_name ${hostname};`;
  return `  location /media/ {
    # Addresses are as good as keys.
    access_log off;
    if ($request_method !~ ^(GET|HEAD)$) { return 405; }
    auth_request /cdn/admit;
    auth_request_set $media_object $upstream_http_x_media_object;
    auth_request_set $media_origin $upstream_http_x_media_origin;
    slice 1m;
    proxy_pass ${protocol}//media_origin$media_origin;${protocol === "https:" ? tls : ""}
    # Nothing that the client says may change what the origin answers.
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Host ${host};
    proxy_set_header Connection "";
    proxy_set_header Range $slice_range;
    proxy_read_timeout 30s;
    proxy_cache media;
    proxy_cache_key $media_object$slice_range;
    # Objects never change; nothing but whole answers is kept.
    proxy_cache_valid 200 206 30d;
    proxy_ignore_headers Cache-Control Expires Vary Set-Cookie X-Accel-Expires X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
    proxy_cache_lock on;
    proxy_cache_lock_timeout 30s;
    proxy_cache_lock_age 30s;
    proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
    proxy_hide_header Set-Cookie;
    proxy_hide_header x-amz-request-id;
    proxy_hide_header x-amz-id-2;
    proxy_hide_header x-amz-version-id;
    proxy_hide_header x-amz-storage-class;
    proxy_hide_header x-amz-server-side-encryption;
    add_header X-Cache $upstream_cache_status always;
    add_header X-Content-Type-Options nosniff always;
    proxy_intercept_errors on;
    error_page 403 = @media_refused;
    error_page 404 = @media_missing;
    error_page 500 502 503 504 = @media_unavailable;
  }
${admission}${errors}`;
}

/** Nobody gets here from outside. */
const admission = `  location = /cdn/admit {
    internal;
    access_log off;
    proxy_pass http://msgr/cdn/admit;
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header Content-Length "";
    proxy_set_header X-Original-URI $request_uri;
    proxy_read_timeout 5s;
  }
`;

const errors = `  location @media_refused {
    default_type application/problem+json;
    add_header Cache-Control no-store always;
    # The origin refuses what a server has admitted: the fault is not the client's.
    if ($upstream_status) {
      add_header Retry-After 1 always;
      add_header Cache-Control no-store always;
      return 503 '${problems.store_unavailable}';
    }
    return 403 '${problems.bad_signature}';
  }
  location @media_missing {
    default_type application/problem+json;
    add_header Cache-Control no-store always;
    return 404 '${problems.no_such_media}';
  }
  location @media_unavailable {
    default_type application/problem+json;
    add_header Retry-After 1 always;
    add_header Cache-Control no-store always;
    return 503 '${problems.store_unavailable}';
  }
`;
