import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { api } from "../helpers/api.ts";
import { messageTo, newMessageId, RawClient, type Frame } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

/** A full group on the embedded profile, with everybody online, and what becomes of it when the process is killed. */
const size = limits.membersPerGroupMax;
const folder = temporaryFolder();
const groupId = newMessageId();
let server: ServerProcess;
let users: readonly TestUser[];
let owner: TestUser;
let head = 1;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
  users = await server.createUsers(size);
  owner = users[0] as TestUser;
  const user_ids = users.slice(1).map(({ userId }) => userId);
  const body = { group_id: groupId, message_id: newMessageId(), name: "All of us", user_ids };
  await api(server, "POST /api/groups", { token: owner.token, body });
  await drained();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const toGroup = (): Record<string, unknown> => ({
  ...messageTo(owner.userId, "to all of you", head),
  to: { conversation: groupId },
});
const isRow = (seq: number) => (frame: Frame) =>
  frame.type === "NEW_MESSAGE" && frame.conversation_id === groupId && frame.seq === seq;

async function jobsWaiting(): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  return Number(/^msgr_fan_out_jobs_waiting (\d+)$/m.exec(text)?.[1]);
}

async function drained(): Promise<void> {
  while ((await jobsWaiting()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function send(sender: RawClient): Promise<number> {
  const ack = await sender.ask(toGroup());
  expect(ack).toMatchObject({ type: "ACK", seq: head + 1 });
  return ++head;
}

/** The list of every member, as it is stored: reading it repairs nothing. */
async function expectListed(seq: number): Promise<void> {
  for (let from = 0; from < users.length; from += 32) {
    const some = users.slice(from, from + 32).map(async ({ token }) => {
      const { body } = await api(server, "GET /api/conversations", { token });
      return body.conversations.find((each) => each.conversation_id === groupId)?.registers["last_seq"];
    });
    for (const listed of await Promise.all(some)) expect(listed).toBe(seq);
  }
}

describe("a group of 1,024", () => {
  test("has a message on every member's connection in time, and in every list", async () => {
    const clients = await Promise.all(users.map((user) => RawClient.greet(server.wsUrl, user)));
    try {
      const seq = await send(clients[0] as RawClient);
      await Promise.all(clients.slice(1).map((client) => client.expect(isRow(seq), limits.fanOutCeilingMs)));
      await drained();
      await expectListed(seq);
      for (const client of clients) expect(client.frames.filter(isRow(seq)).length).toBeLessThanOrEqual(1);
    } finally {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    }
  });

  test("that is told by and by when its server is killed is told by the next one", async () => {
    await using sender = await RawClient.greet(server.wsUrl, owner);
    for (let count = 0; count < 4; count++) await send(sender);
    expect(await jobsWaiting()).toBeGreaterThan(0);
    expect(await server.stop("SIGKILL")).toBeNull();
    server = await startServer(`${folder.path}/data`);
    await drained();
    await expectListed(head);
  });
});
