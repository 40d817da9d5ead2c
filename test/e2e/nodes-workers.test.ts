import { once } from "node:events";
import net from "node:net";
import { beforeAll, expect, it } from "vitest";
import { isAlive, childrenOf } from "../helpers/bench-process.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { messageTo, RawClient, refusal, type Frame } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { runCli, type ServerProcess, type ServerWorker, type TestUser } from "../helpers/server-process.ts";
import { startTalk } from "../helpers/talk.ts";

const isMessage = (frame: Frame): boolean => frame.type === "NEW_MESSAGE";
const pidsOf = (server: ServerProcess): number[] => childrenOf(server.pid).map(({ pid }) => pid);

/** Connects the users; answers the clients and on which process each is. */
async function greetAll(server: ServerProcess, users: readonly TestUser[]) {
  return Promise.all(
    users.map(async (user) => {
      const client = await RawClient.open(server.wsUrl, user.token);
      client.send({ type: "HELLO", device: user.device, client: { name: "test", version: "1" } });
      const welcome = await client.expect((frame) => frame.type === "WELCOME");
      return { client, node: welcome["node"] as string };
    }),
  );
}

/** Names of the workers that take connections. */
async function nodesOf(server: ServerProcess): Promise<Set<string>> {
  const [user] = (await server.createUsers(1)) as unknown as [TestUser];
  const nodes: string[] = [];
  for (let at = 0; at < 4; at++) {
    const [greeted] = await greetAll(server, [user]);
    nodes.push(greeted?.node as string);
    await greeted?.client[Symbol.asyncDispose]();
  }
  return new Set(nodes);
}

describeOn(["cassandra", "postgres", "redis", "s3"], "msgr serve --workers", () => {
  const servers = ownClusterServers();
  const start = (set: Readonly<Record<string, string | number>>) => servers.start({ flags: ["--workers", "2"], set });
  let server: ServerProcess;
  let workers: [ServerWorker, ServerWorker];

  beforeAll(async () => {
    // A drain that is long enough for all that is asked of the server before the last one has left.
    server = await start({ "node.name": "box", "drain.spread_ms": 5_000, "log.level": "info" });
    workers = server.workers as typeof workers;
  }, 180_000);

  it("is one server on one port: every worker takes its share, and they reach each other", async () => {
    expect(workers.map(({ node }) => node)).toEqual(["box-1", "box-2"]);
    expect(new Set(workers.map(({ admin_url }) => admin_url)).size).toBe(2);
    expect(new Set(pidsOf(server))).toEqual(new Set(workers.map(({ pid }) => pid)));
    const users = await server.createUsers(8);
    const greeted = await greetAll(server, users);
    expect(new Set(greeted.map(({ node }) => node))).toEqual(new Set(["box-1", "box-2"]));
    const [first, ...others] = greeted as [(typeof greeted)[number], ...typeof greeted];
    for (const [at, { client }] of others.entries()) {
      const { message_id } = await first.client.ask(messageTo((users[at + 1] as TestUser).userId, "hello", 0));
      expect(await client.expect(isMessage)).toMatchObject({ message_id });
    }
    for (const { client } of greeted) await client[Symbol.asyncDispose]();
    for (const { admin_url } of workers) expect((await fetch(`${admin_url}/readyz`)).status).toBe(200);
  });

  it("hands SIGHUP on to every worker", async () => {
    server.process.kill("SIGHUP");
    await eventually(() => expect(server.stderr().split('"Configuration read again"')).toHaveLength(3));
  });

  it("starts a worker that was killed again, on the same administrative port; the others' clients notice nothing", async () => {
    const greeted = await greetAll(server, await server.createUsers(4));
    const [killed, stays] = workers;
    process.kill(killed.pid, "SIGKILL");
    for (const { client, node } of greeted) if (node === killed.node) expect((await client.closed()).code).toBe(1006);
    const isReady = async (): Promise<boolean> => (await fetch(`${killed.admin_url}/readyz`)).ok;
    await expect.poll(isReady, { timeout: 120_000 }).toBe(true);
    expect(pidsOf(server)).toHaveLength(2);
    expect(pidsOf(server)).not.toContain(killed.pid);
    for (const { client, node } of greeted) {
      if (node !== stays.node) continue;
      client.send({ type: "HEARTBEAT" });
      await client.expect((frame) => frame.type === "HEARTBEAT_ACK");
    }
    expect(await nodesOf(server)).toEqual(new Set(["box-2", "box-3"]));
    for (const { client } of greeted) await client[Symbol.asyncDispose]();
  }, 240_000);

  it("is restarted worker by worker under load without one message lost or doubled", async () => {
    const before = pidsOf(server);
    const users = await server.createUsers(8);
    await using talks = new AsyncDisposableStack();
    const running = await Promise.all(
      Array.from({ length: 4 }, async (_, at) => {
        const [from, to] = users.slice(at * 2, at * 2 + 2) as [TestUser, TestUser];
        return talks.use(await startTalk([server.url], from, to));
      }),
    );
    await Promise.all(running.map((talk) => talk.progress(10)));
    server.process.kill("SIGUSR2");
    await expect.poll(() => server.stderr(), { timeout: 240_000 }).toContain("Rolling restart done");
    await Promise.all(running.map((talk) => talk.progress(10)));
    await Promise.all(running.map((talk) => talk.settle()));
    for (const talk of running) expect(talk.faults()).toEqual([]);
    // Everybody was asked to leave, went, and was cut off by nobody.
    for (const talk of running) expect(talk.opens()).toBeGreaterThanOrEqual(4);
    expect(running.flatMap((talk) => talk.closes.filter((code) => code !== 4000))).toEqual([]);
    expect(pidsOf(server)).toHaveLength(2);
    expect(pidsOf(server).filter((pid) => before.includes(pid))).toEqual([]);
    for (const { admin_url } of workers) expect((await fetch(`${admin_url}/readyz`)).status).toBe(200);
    expect(await nodesOf(server)).toEqual(new Set(["box-4", "box-5"]));
  }, 400_000);

  it("drains as one: newcomers are refused, everybody is asked to reconnect, nobody is left", async () => {
    const users = await server.createUsers(6);
    const greeted = await greetAll(server, users);
    const pids = pidsOf(server);
    const code = server.stop("SIGTERM");
    for (const { client } of greeted) await client.expect((frame) => frame.type === "RECONNECT");
    const refused = await refusal(server.wsUrl, ["msgr.v1"], { authorization: `Bearer ${users[0]?.token}` });
    expect([refused.status, refused.problem["code"]]).toEqual([503, "draining"]);
    const codes = await Promise.all(greeted.map(async ({ client }) => (await client.closed()).code));
    expect(new Set(codes)).toEqual(new Set([4000]));
    expect(await code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it.each([
    ["is killed", null, (leaving: ServerProcess) => leaving.stop("SIGKILL")],
    [
      "is told to leave a second time",
      130,
      async (leaving: ServerProcess, client: RawClient) => {
        leaving.process.kill("SIGTERM");
        await client.expect((frame) => frame.type === "RECONNECT");
        return leaving.stop("SIGINT");
      },
    ],
  ] as const)("leaves no worker behind when it %s", async (_what, code, end) => {
    await using leaving = await start({ "drain.spread_ms": 60_000 });
    const [user] = await leaving.createUsers(1);
    await using client = await RawClient.greet(leaving.wsUrl, user as TestUser);
    const pids = pidsOf(leaving);
    expect(await end(leaving, client)).toBe(code);
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
    expect((await client.closed()).code).toBe(1006);
  });

  it("says once what is wrong, with the exit of a single server", async () => {
    const blocker = net.createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port } = blocker.address() as net.AddressInfo;
    const words = ["serve", "--profile", "cluster", "--workers", "3", "--json", "--set", "log.level=silent"];
    const taken = await runCli([...words, "--port", String(port)], { env: servers.variables });
    expect([taken.code, taken.stderr.match(/error:/g)?.length, taken.stderr.includes("--port")]).toEqual([6, 1, true]);
    expect(JSON.parse(taken.stdout)).toMatchObject({ error: { exit: 6 } });
    const admin = await runCli([...words, "--port", "0", "--admin-port", String(port)], { env: servers.variables });
    expect([admin.code, admin.stderr.includes(String(port))]).toEqual([6, true]);
    blocker.close();
  });

  it.each([
    [["--workers", "2"], /--workers is for the cluster profile/],
    [["--workers", "0", "--profile", "cluster"], /from 1 to 64/],
    [["--workers", "many", "--profile", "cluster"], /from 1 to 64/],
    [["--workers", "9", "--profile", "cluster", "--admin-port", "65530"], /administrative ports 65530 to 65538/],
    [["--workers", "3", "--profile", "cluster", "--port", "9002", "--admin-port", "9000"], /include http\.port/],
  ])("is refused as wrong usage: %j", async (words, says) => {
    const ended = await runCli(["serve", ...words]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(says) as string });
  });
});
