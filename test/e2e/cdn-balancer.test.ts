import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { freePort } from "../helpers/free-port.ts";
import { hasNginx, startNginx, type NginxProcess } from "../helpers/nginx-process.ts";
import { messageTo, RawClient } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import type { ServerProcess, TestUser } from "../helpers/server-process.ts";
import { startTalk } from "../helpers/talk.ts";

// Needs nginx on this machine, beside the stores.
describe.skipIf(!hasNginx)("two servers behind nginx", () => {
  describeOn(["cassandra", "postgres", "redis", "s3"], "on the stores", () => {
    const cluster = ownClusterServers();
    const set = { "http.proxies_trusted": 1, "drain.spread_ms": 30_000 };
    let ports: number[];
    let servers: ServerProcess[];
    let nginx: NginxProcess;
    let users: readonly TestUser[];

    const startOn = (port: number) => cluster.start({ set, flags: ["--port", String(port)] });

    beforeAll(async () => {
      ports = [await freePort(), await freePort()];
      servers = await Promise.all(ports.map(startOn));
      nginx = await startNginx(
        await freePort(),
        ports.map((port) => `127.0.0.1:${port}`),
      );
      users = await servers[0]!.createUsers(8);
    }, 180_000);

    afterAll(async () => {
      await nginx[Symbol.asyncDispose]();
    }, 180_000);

    /** The node that a new connection through nginx gets. */
    async function nodeOf(user: TestUser): Promise<{ readonly client: RawClient; readonly node: unknown }> {
      const client = await RawClient.open(nginx.wsUrl, user.token);
      client.send({ type: "HELLO", device: user.device, client: { name: "test", version: "1" } });
      return { client, node: (await client.expect(({ type }) => type === "WELCOME"))["node"] };
    }

    test("connections are spread over both, and messages go from one to the other", async () => {
      const [alice, bob] = users as [TestUser, TestUser];
      const [one, two] = [await nodeOf(alice), await nodeOf(bob)];
      expect(new Set([one.node, two.node])).toEqual(new Set(servers.map(({ node }) => node)));
      const ack = await one.client.ask(messageTo(bob.userId, "over the balancer", 0));
      expect(ack.type).toBe("ACK");
      const pushed = await two.client.expect(({ type }) => type === "NEW_MESSAGE");
      expect(pushed.message_id).toBe(ack.message_id);
      for (const { client } of [one, two]) await client[Symbol.asyncDispose]();
    });

    test("clients of a killed server go on through nginx at the other: nothing lost, doubled or out of order", async () => {
      await using talk = await startTalk([nginx.url], users[2]!, users[3]!);
      await talk.progress(20);
      await servers[0]!.stop("SIGKILL");
      await talk.progress(40);
      // Also what has no connection to lose.
      for (let asked = 0; asked < 10; asked++) expect((await fetch(`${nginx.url}/api/openapi.json`)).status).toBe(200);
      servers[0] = await startOn(ports[0]!);
      await talk.progress(20);
      await talk.settle();
      expect(talk.faults()).toEqual([]);
    }, 240_000);

    test("a server that is back gets connections again", async () => {
      await eventually(async () => {
        const { client, node } = await nodeOf(users[4]!);
        await client[Symbol.asyncDispose]();
        expect(node).toBe(servers[0]!.node);
      });
    });

    test("a server that hangs does not draw newcomers: others get through meanwhile, and all do afterwards", async () => {
      const hanging = servers[1]!;
      // It has none, the other some: whoever looks for the fewest would send everybody there.
      const held: { readonly client: RawClient; readonly node: unknown }[] = [];
      const waiting: Promise<{ readonly client: RawClient }>[] = [];
      for (const user of users.slice(0, 4)) held.push(await nodeOf(user));
      for (const { client, node } of held) if (node === hanging.node) await client[Symbol.asyncDispose]();
      hanging.process.kill("SIGSTOP");
      try {
        // They take turns, so that of two in a row one meets the other server; the other one waits for 2 minutes.
        const attempts = [nodeOf(users[4]!), nodeOf(users[5]!)];
        const reached = await Promise.any(attempts);
        expect(reached.node).toBe(servers[0]!.node);
        held.push(reached);
        waiting.push(...attempts);
        // What may be asked again is asked again by nginx, after 10 s.
        const statuses = await Promise.all(
          Array.from({ length: 4 }, async () => (await fetch(`${nginx.url}/api/openapi.json`)).status),
        );
        expect(statuses).toEqual([200, 200, 200, 200]);
      } finally {
        hanging.process.kill("SIGCONT");
        for (const { client } of held) await client[Symbol.asyncDispose]();
        for (const attempt of await Promise.allSettled(waiting))
          if (attempt.status === "fulfilled") await attempt.value.client[Symbol.asyncDispose]();
      }
      await eventually(async () => {
        const { client, node } = await nodeOf(users[4]!);
        await client[Symbol.asyncDispose]();
        expect(node).toBe(hanging.node);
      });
    }, 240_000);

    test("a server that leaves is passed over by newcomers, who do not notice", async () => {
      // Somebody on each, so that the one that leaves has to wait for its own.
      const held = [await nodeOf(users[5]!), await nodeOf(users[6]!)];
      const leaving = servers[1]!;
      expect((await leaving.admin("POST", "/admin/drain")).status).toBe(202);
      await eventually(async () => expect((await leaving.admin("GET", "/readyz")).status).toBe(503));
      for (let newcomer = 0; newcomer < 5; newcomer++) {
        const { client, node } = await nodeOf(users[7]!);
        expect(node).toBe(servers[0]!.node);
        await client[Symbol.asyncDispose]();
      }
      for (const { client } of held) await client[Symbol.asyncDispose]();
    });

    test("a request that a server may have done is not done by the other as well", async () => {
      // A server that takes the request and dies over it.
      const asked: string[] = [];
      const dying = createServer((socket) =>
        socket.once("data", (bytes) => {
          asked.push(bytes.toString().split(" ", 1)[0] as string);
          socket.destroy();
        }),
      );
      dying.listen(0);
      await once(dying, "listening");
      const { port } = dying.address() as AddressInfo;
      // The same one under two names: nginx would have somebody else to ask.
      await using alone = await startNginx(await freePort(), [`127.0.0.1:${port}`, `127.0.0.2:${port}`]);
      const post = await fetch(`${alone.url}/api/login`, { method: "POST", body: "{}" });
      expect(post.status).toBe(503);
      expect(await post.json()).toMatchObject({ code: "draining", undecided: true, temporary: true });
      expect(asked).toEqual(["POST"]);
      dying.close();
    });
  });
});
