import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { createLogger } from "../../src/base/logger.ts";
import { createUsersInBulk } from "../../src/server/accounts/create-users-in-bulk.ts";
import { openServer, type Server } from "../../src/server/open-server.ts";
import { api } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { messageTo, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import type { TestUser } from "../helpers/server-process.ts";

const aheadMs = 300_000;
const wrongBy = (ms: number): Clock => ({ ...systemClock, nowMs: () => systemClock.nowMs() + ms });
const isMessage = (frame: Frame): boolean => frame.type === "NEW_MESSAGE";

interface Opened {
  /** What it logged, a line each. */
  readonly lines: readonly string[];
  readonly server: Server;
  readonly url: string;
  readonly wsUrl: string;
}

describeOn(["cassandra", "postgres", "redis", "s3"], "server processes whose clocks are five minutes off", () => {
  const { config } = ownClusterServers();
  let [ahead, right, behind] = [] as unknown as [Opened, Opened, Opened];

  async function open(clock: Clock): Promise<Opened> {
    const set = { ...config, http: { ...config.http, port: 0 }, limits: { preset: "default" as const } };
    const lines: string[] = [];
    const log = createLogger({
      level: "warn",
      format: "json",
      destination: { write: (line) => void lines.push(line) },
    });
    const server = await openServer({ config: set, origins: new Map() }, log, clock);
    const { url } = await server.node.start({ anyPort: false });
    return { lines, server, url, wsUrl: `${url.replace("http", "ws")}/ws` };
  }

  beforeAll(async () => {
    ahead = await open(wrongBy(aheadMs));
    right = await open(systemClock);
    behind = await open(wrongBy(-aheadMs));
  }, 180_000);

  afterAll(async () => {
    for (const { server } of [ahead, right, behind]) await server?.node.destroy();
  }, 180_000);

  let made = 0;
  async function people(at: Opened, count: number): Promise<TestUser[]> {
    const users = Array.from({ length: count }, () => ({ handle: `clock${made++}`, displayName: "C", devices: 1 }));
    const opened = await createUsersInBulk(at.server.context.accountDeps, users);
    return opened.map((user) => ({ ...user, token: user.accessToken }));
  }

  it("say that they are wrong and by how much, and the right one says nothing", () => {
    const said = [ahead, right, behind].map(({ lines }) =>
      lines
        .map((line) => JSON.parse(line) as { readonly msg: string; readonly offset_ms: number })
        .filter(({ msg }) => msg.startsWith("The clock of this machine is wrong"))
        .map(({ offset_ms }) => Math.round(offset_ms / 10_000) * 10_000),
    );
    expect(said).toEqual([[-aheadMs], [], [aheadMs]]);
  });

  it("number what is written in one order, and its times never go back", async () => {
    const [alice, bob] = (await people(right, 2)) as [TestUser, TestUser];
    await using reader = await RawClient.greet(right.wsUrl, bob);
    const times: number[] = [];
    for (const [round, node] of [right, ahead, behind, right, behind, ahead].entries()) {
      await using sender = await RawClient.greet(node.wsUrl, alice);
      const ack = await sender.ask(messageTo(bob.userId, `${round}`, round));
      expect(ack).toMatchObject({ type: "ACK", seq: round + 1 });
      // After a conflict a process may push again what another one had pushed: devices go by seq.
      const pushed = await reader.expect((frame) => isMessage(frame) && frame.message_id === ack.message_id);
      expect(pushed.seq).toBe(round + 1);
      times.push(ack["sent_at"] as number);
    }
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  });

  it("take each other's sessions, and end them everywhere", async () => {
    for (const [maker, user] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const [alice] = (await people(maker, 1)) as [TestUser];
      await using client = await RawClient.greet(user.wsUrl, alice);
      expect((await api(user, "GET /api/me", { token: alice.token })).status).toBe(200);
      await api(maker, "POST /api/logout", { token: alice.token, body: { scope: "device" } });
      expect((await client.closed()).code).toBe(4501);
    }
  });

  it("agree on who is online, on either side of the right time", async () => {
    for (const at of [ahead, behind]) {
      const [alice, bob] = (await people(right, 2)) as [TestUser, TestUser];
      await using client = await RawClient.greet(at.wsUrl, alice);
      for (const asked of [ahead, right, behind]) {
        await eventually(async () => {
          const answer = await api(asked, "GET /api/presence", { token: bob.token, query: { ids: alice.userId } });
          expect(answer.body.presence[0]).toMatchObject({ online: true });
        });
      }
      client.ws.close();
      for (const asked of [ahead, right, behind]) {
        await eventually(async () => {
          const answer = await api(asked, "GET /api/presence", { token: bob.token, query: { ids: alice.userId } });
          expect(answer.body.presence[0]).toMatchObject({ online: false });
        });
      }
    }
  });

  it("hear of blocks from each other, and of who types", async () => {
    const [alice, bob] = (await people(right, 2)) as [TestUser, TestUser];
    await using a = await RawClient.greet(ahead.wsUrl, alice);
    await using b = await RawClient.greet(behind.wsUrl, bob);
    const { conversation_id } = await a.ask(messageTo(bob.userId, "hello", 0));
    await b.expect(isMessage);
    a.send({ type: "TYPING", conversation_id });
    await b.expect((frame) => frame.type === "TYPING");
    await api(behind, "PUT /api/blocks/:id", { token: bob.token, params: { id: alice.userId } });
    await eventually(async () => {
      const { seq } = await a.ask(messageTo(bob.userId, "blocked", 1));
      const page = await b.ask({ type: "RANGE", conversation_id, from: seq, to: seq });
      expect(page.messages).toEqual([expect.objectContaining({ seq, kind: 0 })]);
    });
  });

  it("share one budget of requests: what was spent by a clock that is ahead is not missing anywhere else", async () => {
    const [alice, bob] = (await people(right, 2)) as [TestUser, TestUser];
    for (const [since, node] of [ahead, right, behind, ahead, right].entries()) {
      await using client = await RawClient.greet(node.wsUrl, alice);
      const answer = await client.ask(messageTo(bob.userId, "x", since));
      expect(answer).toMatchObject({ type: "ACK", seq: since + 1 });
    }
  });
});
