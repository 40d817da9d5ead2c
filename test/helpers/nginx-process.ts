import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { currentNginxConfig } from "../../src/stack/recipes/nginx.ts";
import { healthPath } from "../../src/stack/recipes/nginx-proxy.ts";
import { temporaryFolder } from "./server-process.ts";

/** Whether this machine has one: suites on it are left out otherwise. */
export const hasNginx = spawnSync("nginx", ["-v"]).status === 0;

/** nginx with the configuration of `msgr stack`, in a folder of its own. */
export interface NginxProcess extends AsyncDisposable {
  readonly url: string;
  readonly wsUrl: string;
}

const startWithinMs = 30_000;

/** `servers`: host:port of each. `s3Endpoint`: as the servers sign for it; absent = no cache of media. */
export async function startNginx(port: number, servers: readonly string[], s3Endpoint?: string): Promise<NginxProcess> {
  const folder = temporaryFolder();
  mkdirSync(`${folder.path}/temp`);
  const settings = s3Endpoint === undefined ? {} : { "s3.endpoint": s3Endpoint };
  const file = `${folder.path}/nginx.conf`;
  writeFileSync(file, currentNginxConfig(port, servers, settings).text);
  const child = spawn("nginx", ["-p", folder.path, "-c", file, "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
    cwd: folder.path,
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const ended = once(child, "close");
  const end = async (): Promise<void> => {
    // Its workers end with it only if it is asked.
    child.kill("SIGTERM");
    await ended;
    folder[Symbol.dispose]();
  };
  await untilHealthy(child, `${url}${healthPath}`, () => said).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return { url, wsUrl: `${url.replace("http", "ws")}/ws`, [Symbol.asyncDispose]: end };
}

async function untilHealthy(child: ChildProcess, url: string, said: () => string): Promise<void> {
  const lateAt = performance.now() + startWithinMs;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    if (child.exitCode !== null || performance.now() > lateAt) throw new Error(`nginx does not start:\n${said()}`);
    await sleep(20);
  }
}
