import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { probeHttp } from "../probes/probes.ts";
import { baseEnvironment, loopback, portOf, type Recipe } from "./recipe.ts";

export const healthPath = "/nginx-health";

export interface ProxyOptions {
  /** What nginx's `listen` takes. */
  readonly listen: string;
  /** host:port of each `msgr serve`; at least one. */
  readonly servers: readonly string[];
}

/** One address in front of the servers, for HTTP and WebSockets: what goes into `http`. deploy/nginx has the same. */
export function proxyConfig({ listen, servers }: ProxyOptions): string {
  return `upstream msgr {
${servers.map((server) => `  server ${server} max_fails=1 fail_timeout=2s;`).join("\n")}
  keepalive 32;
}
map $http_upgrade $connection_header { default upgrade; "" ""; }
server {
  listen ${listen};
  location = ${healthPath} { default_type text/plain; return 200 "ok\\n"; }
  location / {
    proxy_pass http://msgr;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_header;
    # A socket is quiet for as long as its client is; the heartbeat decides, not the proxy.
    proxy_read_timeout 1h;
    proxy_send_timeout 1h;
  }
}
`;
}

export interface NginxConfigOptions {
  readonly port: number;
  readonly servers: readonly string[];
  /** Workers of a master that is root become this user; undefined = the master is somebody already. */
  readonly user: string | undefined;
}

/** nginx.conf of the stack. Paths are relative to nginx's own folder. */
export function nginxConfig({ port, servers, user }: NginxConfigOptions): string {
  return `# Written by \`msgr stack up\`, anew each time.
daemon off;
pid nginx.pid;
error_log stderr warn;
worker_processes 1;
${user === undefined ? "" : `user ${user};\n`}events { worker_connections 8192; }
http {
access_log off;
client_body_temp_path temp/body;
proxy_temp_path temp/proxy;
fastcgi_temp_path temp/fastcgi;
uwsgi_temp_path temp/uwsgi;
scgi_temp_path temp/scgi;
${proxyConfig({ listen: `${loopback}:${port}`, servers })}}
`;
}

export const nginxRecipe: Recipe = {
  store: "nginx",
  stopSignal: "SIGTERM",
  probe: probeHttp(healthPath, (status) => status === 200),
  readyWithinMs: 15_000,
  ports: () => [{ name: "nginx", preferred: 8090, hosts: [loopback] }],
  prepare(context) {
    const folder = path.join(context.directory, "nginx");
    mkdirSync(path.join(folder, "temp"), { recursive: true, mode: 0o700 });
    const port = portOf(context, "nginx");
    // Another user could not reach a folder below root's own.
    const user = process.getuid?.() === 0 ? "root" : undefined;
    writeFileSync(path.join(folder, "nginx.conf"), nginxConfig({ port, servers: context.servers, user }));
    return Promise.resolve([
      {
        name: "nginx",
        version: context.tools.nginxVersion,
        address: { host: loopback, port },
        launch: {
          command: "nginx",
          arguments: ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-e", "stderr"],
          environment: baseEnvironment(context.variables),
          workingDirectory: folder,
        },
      },
    ]);
  },
  // Nobody connects to it by configuration: it is what clients are given as the address.
  settings: () => ({}),
};
