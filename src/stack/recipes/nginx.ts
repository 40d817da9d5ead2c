import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { probeHttp } from "../probes/probes.ts";
import { healthPath, proxyConfig } from "./nginx-proxy.ts";
import { baseEnvironment, loopback, portOf, type Recipe, type SettingsContext } from "./recipe.ts";

export interface NginxConfigOptions {
  readonly port: number;
  readonly servers: readonly string[];
  /** What the servers have as s3.endpoint; undefined = there is no object store in the stack. */
  readonly mediaEndpoint: string | undefined;
  /** Workers of a master that is root become this user; undefined = the master is somebody already. */
  readonly user: string | undefined;
}

/** Answers which configuration is in force: a reload is over when it says so. */
export const generationPath = "/nginx-generation";
const mediaCacheMax = "1g";

export interface NginxConfig {
  readonly text: string;
  /** What `generationPath` answers while this text is in force. */
  readonly generation: string;
}

/** nginx.conf of the stack. Paths are relative to nginx's own folder. */
export function nginxConfig({ port, servers, mediaEndpoint, user }: NginxConfigOptions): NginxConfig {
  const media =
    mediaEndpoint === undefined
      ? undefined
      : { endpoint: mediaEndpoint, folder: "media-cache", sizeMax: mediaCacheMax };
  const proxy = { listen: `${loopback}:${port}`, servers, media };
  const generation = createHash("sha256").update(proxyConfig(proxy)).digest("hex").slice(0, 16);
  const locations = `  location = ${generationPath} { default_type text/plain; return 200 "${generation}\\n"; }\n`;
  const text = `# Written by \`msgr stack up\`, anew each time.
daemon off;
pid nginx.pid;
error_log stderr warn;
worker_processes 1;
${user === undefined ? "" : `user ${user};\n`}events { worker_connections 32768; }
http {
access_log off;
client_body_temp_path temp/body;
proxy_temp_path temp/proxy;
fastcgi_temp_path temp/fastcgi;
uwsgi_temp_path temp/uwsgi;
scgi_temp_path temp/scgi;
${proxyConfig({ ...proxy, locations })}}
`;
  return { text, generation };
}

export const nginxFolder = (directory: string): string => path.join(directory, "nginx");
export const nginxConfigFile = (directory: string): string => path.join(nginxFolder(directory), "nginx.conf");

/** The configuration for what is there now. */
export function currentNginxConfig(
  port: number,
  servers: readonly string[],
  settings: SettingsContext["settings"],
): NginxConfig {
  const endpoint = settings["s3.endpoint"];
  // Another user could not reach a folder below root's own.
  const user = process.getuid?.() === 0 ? "root" : undefined;
  return nginxConfig({ port, servers, user, mediaEndpoint: typeof endpoint === "string" ? endpoint : undefined });
}

export const nginxRecipe: Recipe = {
  part: "nginx",
  stopSignal: "SIGTERM",
  probe: probeHttp(healthPath, (status) => status === 200),
  readyWithinMs: 15_000,
  ports: () => [{ name: "nginx", preferred: 8090, hosts: [loopback] }],
  prepare(context) {
    const { directory, servers, settings } = context;
    const folder = nginxFolder(directory);
    mkdirSync(path.join(folder, "temp"), { recursive: true, mode: 0o700 });
    const port = portOf(context, "nginx");
    writeFileSync(nginxConfigFile(directory), currentNginxConfig(port, servers, settings).text);
    return Promise.resolve([
      {
        name: "nginx",
        version: context.tools.nginxVersion,
        address: { host: loopback, port },
        launch: {
          command: "nginx",
          arguments: ["-p", folder, "-c", nginxConfigFile(directory), "-e", "stderr"],
          environment: baseEnvironment(context.variables),
          workingDirectory: folder,
        },
      },
    ]);
  },
  /** Where clients read media. The rest of it is not configured anywhere: it is the address that clients are given. */
  settings: (context): Readonly<Record<string, string>> =>
    context.settings["s3.endpoint"] === undefined
      ? {}
      : {
          "media.cdn_url": `http://${loopback}:${portOf(context, "nginx")}`,
          "media.signing_key": context.secrets.mediaSigningKey,
        },
};
