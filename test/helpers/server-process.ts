import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** A `msgr serve` of its own process, as an operator would start it, with the administrative port open. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly wsUrl: string;
  /** With workers: that of the first one. */
  readonly adminUrl: string;
  /** As WELCOME has it; "" with workers. */
  readonly node: string;
  readonly workers: readonly ServerWorker[];
  readonly pid: number;
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** Everything it has said on stderr. */
  stderr(): string;
  /** Sends the signal and resolves with the exit code, or null when the signal ended it. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
  /** Users with minted tokens, one device each unless said otherwise. */
  createUsers(count: number, devices?: number): Promise<readonly TestUser[]>;
  admin(method: string, route: string, body?: unknown): Promise<Response>;
}

export interface ServerWorker {
  readonly pid: number;
  readonly node: string;
  readonly admin_url: string;
}

export interface TestUser {
  readonly userId: string;
  readonly handle: string;
  readonly device: number;
  readonly token: string;
}

interface ReadyLine {
  readonly url: string;
  readonly admin_url?: string;
  readonly node?: string;
  readonly workers?: readonly ServerWorker[];
}

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
const adminToken = "a secret of this test run";

/** For a command that has nothing to wait for, on a machine that is busy with other tests. */
const commandWithinMs = 50_000;
/** As long as the hooks that servers are started in may take at least. */
const readyWithinMs = 110_000;

/** Runs `msgr` with these words to its end; throws, with what it said, if it has not ended by then. */
export async function runCli(
  words: readonly string[],
  options: {
    readonly env?: Record<string, string>;
    readonly cwd?: string;
    readonly withinMs?: number;
  } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const withinMs = options.withinMs ?? commandWithinMs;
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...cleanEnvironment(), ...options.env },
    cwd: options.cwd ?? tmpdir(),
  });
  let isLate = false;
  // A command that should have ended but did not is a failure to see, not a process to leave behind.
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, withinMs);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  clearTimeout(timer);
  if (isLate) throw new Error(`msgr ${words.join(" ")} did not end within ${withinMs} ms:\n${stdout}${stderr}`);
  return { code: code as number | null, stdout, stderr };
}

export function temporaryFolder(): Disposable & { readonly path: string } {
  const folder = mkdtempSync(path.join(tmpdir(), "msgr-test-"));
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function startServer(
  dataDirectory: string,
  options: {
    readonly set?: Readonly<Record<string, string | number>>;
    /** The whole of the words after `msgr`, in place of those for an ordinary test server. */
    readonly words?: readonly string[];
    /** More of its words. */
    readonly flags?: readonly string[];
    /** Of its environment: settings, as a rule. */
    readonly variables?: Readonly<Record<string, string>>;
  } = {},
): Promise<ServerProcess> {
  const tokenFile = `${dataDirectory}.token`;
  writeFileSync(tokenFile, adminToken, { mode: 0o600 });
  const set = { "drain.spread_ms": 0, "limits.preset": "off", "log.level": "warn", ...options.set };
  const words = ["serve", "--json", "--data", dataDirectory, "--port", "0", "--admin-port", "0"];
  words.push("--admin-token-file", tokenFile, ...(options.flags ?? []));
  for (const [name, value] of Object.entries(set)) words.push("--set", `${name}=${value}`);
  const child = spawn(process.execPath, [main, ...(options.words ?? words)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...cleanEnvironment(), ...options.variables },
    cwd: path.dirname(dataDirectory),
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, "close") as Promise<[number | null]>;
  // Whoever waits for it gives up soon after, and then nobody would be left to end it.
  const timer = setTimeout(() => child.kill("SIGKILL"), readyWithinMs);
  const ready = await firstLine(child.stdout).finally(() => clearTimeout(timer));
  if (ready === undefined) throw ended((await exited)[0], said);
  const line = JSON.parse(ready) as ReadyLine | { readonly error: unknown };
  if ("error" in line) throw ended((await exited)[0], said);
  const { url, admin_url, node = "", workers = [] } = line;
  const adminUrl = admin_url ?? workers[0]?.admin_url ?? "";
  const admin = (method: string, route: string, body?: unknown): Promise<Response> =>
    fetch(`${adminUrl}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    url,
    wsUrl: `${url.replace("http", "ws")}/ws`,
    adminUrl,
    node,
    workers,
    pid: child.pid as number,
    process: child,
    stderr: () => said,
    async stop(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
    admin,
    createUsers: async (count, devices = 1) => makeUsers(admin, count, devices),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

let usersMade = 0;

async function makeUsers(admin: ServerProcess["admin"], count: number, devices: number): Promise<readonly TestUser[]> {
  const users = Array.from({ length: count }, () => ({ handle: `user${process.pid}x${usersMade++}`, devices }));
  const response = await admin("POST", "/admin/users", { users });
  if (!response.ok) throw new Error(`users: ${response.status} ${await response.text()}`);
  const made = (await response.json()) as {
    users: { user_id: string; handle: string; device: number; access_token: string }[];
  };
  return made.users.map((user) => ({
    userId: user.user_id,
    handle: user.handle,
    device: user.device,
    token: user.access_token,
  }));
}

/** Nothing of the developer's own msgr may reach the tests. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith("MSGR_") && name !== "NODE_OPTIONS");
  return { ...Object.fromEntries(entries), XDG_CONFIG_HOME: "/nonexistent", NO_COLOR: "1" };
}

/** Undefined: it ended without one. */
async function firstLine(stream: Readable): Promise<string | undefined> {
  for await (const line of createInterface({ input: stream })) return line;
  return undefined;
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function ended(code: number | null, said: string): Error {
  return new Error(`the server ended with ${code} before it was ready:\n${said}`);
}
