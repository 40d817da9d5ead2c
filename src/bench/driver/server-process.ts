import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BenchError, type BenchErrorReason } from "./bench-error.ts";

/**
 * The server under test: `msgr serve` as a process of its own, with its data in `folder`, on free ports, behind an
 * administrative token of this run. Nothing of the user's own configuration reaches it.
 *
 *   starting → running → stopped (by `stop`) | dead (by itself; `ended` resolves either way)
 */
export interface ServerOptions {
  readonly folder: string;
  readonly connectionsMax: number;
  /** Undefined: the embedded profile, in `folder`. Otherwise variables that say where the stores are. */
  readonly stores: Readonly<Record<string, string>> | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** More flags for its Node, such as those of a profiler. */
  readonly nodeFlags: readonly string[];
}

export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it said on stderr. */
  readonly said: string;
}

const binary = fileURLToPath(new URL("../../../bin/msgr", import.meta.url));
const readyLine = z.object({ event: z.literal("ready"), url: z.string(), admin_url: z.string(), pid: z.int() });
/** What it prints instead when it cannot start; it has looked at its stores before it is ready. */
const failureLine = z.object({
  error: z.object({ exit: z.int(), message: z.string(), fix: z.string().optional() }),
});
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const saidMax = 4_000;

export class ServerProcess {
  readonly url: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  readonly ended: Promise<ServerEnd>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: z.infer<typeof readyLine>, token: string, ended: Promise<ServerEnd>) {
    this.#child = child;
    this.url = ready.url;
    this.adminUrl = ready.admin_url;
    this.adminToken = token;
    this.ended = ended;
  }

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const { folder, connectionsMax, nodeFlags } = options;
    mkdirSync(folder, { recursive: true });
    const token = randomBytes(24).toString("base64url");
    const tokenFile = path.join(folder, "admin-token");
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const words = [
      "serve",
      "--json",
      ["--data", path.join(folder, "data")],
      ["--port", "0"],
      ["--admin-port", "0"],
      ["--admin-token-file", tokenFile],
      ["--limits", "bench"],
      ["--log-level", "warn"],
      ["--set", "drain.spread_ms=0"],
      ["--set", `http.connections_max=${connectionsMax}`],
    ].flat();
    const child = spawn(process.execPath, ["--expose-gc", ...nodeFlags, binary, ...words], {
      cwd: folder,
      env: serverEnvironment(options),
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C is for the driver, which still needs the server to read the logs back.
      detached: true,
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-saidMax)));
    const ended = new Promise<ServerEnd>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal, said }));
      child.once("error", (error) => resolve({ code: null, signal: null, said: error.message }));
    });
    const line = await Promise.race([
      firstLine(child),
      ended.then((end) => Promise.reject(startError(end))),
      timeout(readyTimeoutMs, "The server was not ready"),
    ])
      .then(readReadyLine)
      .catch((error: unknown) => {
        child.kill("SIGKILL");
        throw error;
      });
    return new ServerProcess(child, line, token, ended);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  /** SIGKILL, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** Asks it to leave, then makes it. Idempotent. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await this.ended;
    clearTimeout(timer);
  }
}

/** The user's own settings for a server must not change what is measured; where the stores are has been asked for. */
function serverEnvironment({ environment, folder, stores }: ServerOptions): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith("MSGR_"));
  const profile = stores === undefined ? { MSGR_PROFILE: "embedded" } : { ...stores, MSGR_PROFILE: "cluster" };
  return { ...Object.fromEntries(kept), ...profile, XDG_CONFIG_HOME: folder };
}

function readReadyLine(line: string): z.infer<typeof readyLine> {
  const document: unknown = JSON.parse(line);
  const failure = failureLine.safeParse(document);
  if (!failure.success) return readyLine.parse(document);
  const { exit, message, fix } = failure.data.error;
  throw new BenchError(startReasons[exit] ?? "failed", message, fix);
}

/** By the exit codes of `msgr serve`. */
const startReasons: Readonly<Record<number, BenchErrorReason>> = {
  3: "configuration",
  4: "unreachable",
  5: "finding",
  6: "locked",
};

function startError({ code, said }: ServerEnd): BenchError {
  return new BenchError(startReasons[code ?? -1] ?? "failed", `The server did not start. It said:\n${said.trim()}`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new BenchError("failed", "The server has no stdout.");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  return line;
}

function timeout(ms: number, what: string): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new BenchError("failed", `${what} within ${ms / 1_000} s.`)), ms).unref();
  });
}
