import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRunning } from "../../src/stack/processes/recorded-process.ts";
import { readStackFile, type StackProcess } from "../../src/stack/stack-file.ts";
import { api } from "../helpers/api.ts";
import { eventually } from "../helpers/eventually.ts";
import { freshBytes, locate, uploadAll } from "../helpers/media.ts";
import { hasNginx } from "../helpers/nginx-process.ts";
import { messageTo, RawClient } from "../helpers/raw-client.ts";
import { temporaryFolder, type TestUser } from "../helpers/server-process.ts";

const said = (command: string, flag: string): string => spawnSync(command, [flag]).stderr?.toString() ?? "";
const hasPrograms =
  hasNginx &&
  spawnSync("redis-server", ["--version"]).status === 0 &&
  / version "17/.test(said("java", "-version")) &&
  spawnSync("mvn", ["--version"]).status === 0;

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
const commandWithinMs = 240_000;
const stores = "postgres,redis,cassandra,s3,nginx";

async function msgr(directory: string, words: readonly string[]) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("MSGR_"));
  const env = {
    ...Object.fromEntries(clean),
    NO_COLOR: "1",
    XDG_CONFIG_HOME: "/nonexistent",
    MSGR_LIMITS__PRESET: "off",
  };
  const child = spawn(process.execPath, [main, "stack", ...words, "--directory", directory], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
    cwd: path.dirname(directory),
    timeout: commandWithinMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: code as number | null, stdout, stderr };
}

// Needs redis-server, nginx, Java 17 and Maven: the whole picture on one machine.
describe.skipIf(!hasPrograms)("msgr stack up --servers 2", () => {
  const folder = temporaryFolder();
  const directory = path.join(folder.path, "stack");
  const up = (servers?: number) => {
    const count = servers === undefined ? [] : ["--servers", String(servers)];
    return msgr(directory, ["up", "--any-port", "--only", stores, ...count]);
  };
  const processes = (): readonly StackProcess[] => readStackFile(directory)?.processes ?? [];
  const named = (name: string): StackProcess => {
    const found = processes().find((process) => process.name === name);
    if (found === undefined) throw new Error(`${name} is not on record`);
    return found;
  };
  const front = () => ({ url: `http://${named("nginx").address}` });
  const pids = () => Object.fromEntries(processes().map(({ name, pid }) => [name, pid]));
  let registered = 0;

  async function register(): Promise<TestUser> {
    const body = { handle: `person${registered++}`, password: "correct horse battery", device_name: "phone" };
    const answer = await api(front(), "POST /api/register", { body });
    const { user_id: userId, handle, device, access_token: token } = answer.body;
    return { userId, handle, device, token };
  }

  beforeAll(async () => {
    const { code, stderr } = await up(2);
    if (code !== 0 || !stderr.includes("migrate up: Applied ")) throw new Error(`${code}: ${stderr}`);
  }, 240_000);

  afterAll(async () => {
    await msgr(directory, ["reset", "--confirm", "stack"]);
    folder[Symbol.dispose]();
  }, 240_000);

  test("is a messenger at one address: accounts, messages between the servers, media from the cache", async () => {
    const [alice, bob] = [await register(), await register()];
    const wsUrl = `${front().url.replace("http", "ws")}/ws`;
    await using one = await RawClient.greet(wsUrl, alice);
    await using two = await RawClient.greet(wsUrl, bob);
    const ack = await one.ask(messageTo(bob.userId, "hello", 0));
    const pushed = await two.expect(({ type }) => type === "NEW_MESSAGE");
    expect([ack.type, pushed.message_id]).toEqual(["ACK", ack.message_id]);
    const bytes = freshBytes(100_000);
    const mediaId = await uploadAll(front(), alice.token, bytes);
    const url = await locate(front(), bob.token, mediaId);
    expect(url.startsWith(`${front().url}/media/`)).toBe(true);
    for (const expected of ["MISS", "HIT"]) {
      const response = await fetch(url);
      expect([response.status, response.headers.get("x-cache")]).toEqual([200, expected]);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  test("its servers are processes like the others: in status and logs, adopted by the next up", async () => {
    const { code, stdout } = await msgr(directory, ["status", "--json"]);
    const found = (JSON.parse(stdout) as { processes: { name: string; health: string }[] }).processes;
    expect([code, found.map(({ health }) => health)]).toEqual([0, found.map(() => "healthy")]);
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(["server-1", "server-2"]));
    expect((await msgr(directory, ["logs", "server-1", "--json"])).stdout).toContain("Ready");
    const before = pids();
    const again = await up();
    expect([again.code, again.stderr]).toEqual([0, expect.stringMatching(/server: runs already at .*, /)]);
    expect(again.stderr).toContain("migrate up: Nothing to do");
    expect(pids()).toEqual(before);
  }, 240_000);

  test("a killed server is missed by status and not by clients, and the next up brings it back", async () => {
    const before = pids();
    const victim = named("server-1");
    process.kill(victim.pid, "SIGKILL");
    await eventually(() => expect(isRunning(victim)).toBe(false));
    const missed = await msgr(directory, ["status"]);
    expect([missed.code, missed.stderr]).toEqual([5, expect.stringContaining("server-1 not running")]);
    for (let asked = 0; asked < 6; asked++) await register();
    expect((await up()).code).toBe(0);
    expect(named("server-1").pid).not.toBe(victim.pid);
    expect({ ...pids(), "server-1": 0 }).toEqual({ ...before, "server-1": 0 });
  }, 240_000);

  /** On a connection of its own: one that rests when nginx reads its configuration anew is closed, and may be just in use. */
  async function statusOfMe(token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    const asking = request(`${front().url}/api/me`, { agent: false, headers }).end();
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    answer.resume();
    await once(answer, "close");
    return answer.statusCode ?? 0;
  }

  test("fewer servers: nginx hears of it and stays, and no request is lost on the way", async () => {
    const before = pids();
    const { token } = await register();
    const done = new AbortController();
    const statuses = new Set<number>();
    const asking = (async () => {
      while (!done.signal.aborted) statuses.add(await statusOfMe(token));
    })();
    const { code } = await up(1);
    done.abort();
    await asking;
    expect([code, [...statuses]]).toEqual([0, [200]]);
    const { "server-2": _gone, ...rest } = before;
    expect(pids()).toEqual(rest);
  }, 240_000);

  test("servers without their stores are refused before anything starts", async () => {
    const other = path.join(folder.path, "other");
    const { code, stderr } = await msgr(other, ["up", "--any-port", "--only", "redis", "--servers", "1"]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("Servers need cassandra, postgres, s3")]);
    expect(readStackFile(other)?.processes ?? []).toEqual([]);
    const wrong = await msgr(other, ["up", "--servers", "many"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--servers")]);
  }, 240_000);

  test("down ends the servers by asking, and all the rest", async () => {
    const { code, stdout } = await msgr(directory, ["down", "--json"]);
    const { stopped } = JSON.parse(stdout) as { stopped: { name: string; how: string }[] };
    expect([code, stopped[0]]).toMatchObject([0, { name: "server-1", how: "ended" }]);
    expect(stopped.map(({ how }) => how)).toEqual(stopped.map(() => "ended"));
    expect(readStackFile(directory)).toMatchObject({ processes: [], settings: {} });
  }, 240_000);
});
