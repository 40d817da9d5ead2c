import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHome } from "../helpers/chat-cli.ts";
import { LossyNetwork } from "../helpers/lossy-network.ts";
import { startServer, temporaryFolder, type ServerProcess } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function textsOf(home: CliHome): Promise<string[]> {
  const { messages } = await home.json(["chat", "history", "@receiver"]);
  return messages.map(({ text }) => text);
}

test("a send that is killed between the server's disk and the answer is one message after a rerun", async () => {
  await using network = new LossyNetwork(Number(new URL(server.url).port));
  const url = await network.open();
  await using home = new CliHome();
  await home.register(url, "receiver");
  await home.register(url, "sender");
  await home.json(["chat", "send", "@receiver", "first"]);

  network.swallows = true;
  const killed = home.start(["chat", "send", "@receiver", "exactly once"]);
  await killed.until(() => network.swallowed > 0);
  await killed.stop("SIGKILL");
  network.swallows = false;
  expect(await textsOf(home)).toEqual(["first", "exactly once"]);

  const again = await home.json(["chat", "send", "@receiver", "exactly once"]);
  expect(again).toMatchObject({ seq: 2, status: "sent" });
  expect(await textsOf(home)).toEqual(["first", "exactly once"]);
  // It has been answered: from here on the same words are a new message.
  expect(await home.json(["chat", "send", "@receiver", "exactly once"])).toMatchObject({ seq: 3 });
});

test("what was left unanswered goes first, and a tail settles it too", async () => {
  await using network = new LossyNetwork(Number(new URL(server.url).port));
  const url = await network.open();
  await using home = new CliHome();
  await home.json(["login", "sender", "--server", url], "sender-password\n");

  network.swallows = true;
  const killed = home.start(["chat", "send", "@receiver", "left behind"]);
  await killed.until(() => network.swallowed > 0);
  await killed.stop("SIGKILL");
  network.swallows = false;
  expect(home.unanswered()).toHaveLength(1);
  const tail = home.start(["chat", "tail", "--json"]);
  await tail.until(() => home.unanswered().length === 0);
  await tail.stop("SIGINT");
  await home.json(["chat", "send", "@receiver", "and on"]);
  expect((await textsOf(home)).slice(3)).toEqual(["left behind", "and on"]);
});

test("a send without an answer says that the same command is safe; one that never left is dropped", async () => {
  await using network = new LossyNetwork(Number(new URL(server.url).port));
  const url = await network.open();
  await using home = new CliHome();
  await home.json(["login", "sender", "--server", url], "sender-password\n");
  const before = await textsOf(home);
  network.swallows = true;
  const unanswered = home.start(["chat", "send", "@receiver", "maybe", "--timeout", "2s", "--json"]);
  await unanswered.until(() => network.swallowed > 0);
  // The connection breaks, and nothing is there to connect to.
  await network[Symbol.asyncDispose]().catch(() => undefined);
  const result = await unanswered.ended;
  expect(result.code).toBe(4);
  expect(JSON.parse(result.stdout).error.fix).toContain("never sends it twice");

  const refused = await home.run(["chat", "send", "@receiver", "never left"]);
  expect(refused.code).toBe(4);
  await using direct = new CliHome();
  await direct.json(["login", "sender", "--server", server.url], "sender-password\n");
  expect(await textsOf(direct)).toEqual([...before, "maybe"]);
});
