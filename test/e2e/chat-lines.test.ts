import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

/** One machine with several accounts; the last one is the current one. */
async function homeOf(...handles: readonly string[]): Promise<CliHome> {
  const home = new CliHome();
  for (const handle of handles) await home.register(server.url, handle);
  return home;
}

const hostile = "\u001b]0;owned\u0007\u001b[2Jhi\u202e\u009b31m\u200b\r\nfake: line";

describe("one message", () => {
  test("is sent, delivered to a tail, and stands in the history with its tick", async () => {
    await using home = await homeOf("ada1", "bob1");
    const tail = home.start(["chat", "tail", "--json", "--as", "bob1"]);
    const sent = await home.json(["chat", "send", "@bob1", "hello", "bob", "--as", "ada1", "--wait", "delivered"]);
    expect(sent).toMatchObject({ chat: "@bob1", seq: 1, status: "delivered" });
    await tail.until(() => tail.documents().length === 1);
    expect(tail.documents()[0]).toMatchObject({
      chat: "@ada1",
      conversation: "direct",
      seq: 1,
      message_id: sent.message_id,
      sender: { handle: "ada1" },
      own: false,
      sent_at: sent.sent_at,
      kind: "text",
      text: "hello bob",
    });
    const history = await home.json(["chat", "history", "ada1", "--as", "bob1"]);
    expect(history).toMatchObject({ chat: "@ada1", has_more: false, messages: [{ text: "hello bob", own: false }] });
    const own = await home.run(["chat", "history", "@bob1", "--as", "ada1"]);
    expect(own.stdout).toMatch(/^\d\d:\d\d me: hello bob ✓✓\n$/);
    expect((await home.json(["chat", "chats", "--as", "bob1"])).chats).toMatchObject([{ chat: "@ada1", unread: 1 }]);
    expect((await tail.stop("SIGINT")).code).toBe(130);
  });

  test("waits no longer than it may, and says how far it got", async () => {
    await using home = await homeOf("bob2", "ada2");
    const result = await home.run(["chat", "send", "bob2", "anyone?", "--wait", "read", "--timeout", "2s", "--json"]);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({ status: "sent", seq: 1 });
    expect(result.stderr).toContain("was not read within 2 s");
  });

  test("comes from standard input or a text file, and nothing is no message", async () => {
    await using home = await homeOf("bob3", "ada3");
    await home.json(["chat", "send", "bob3", "-"], "two\nlines\n");
    const { messages } = await home.json(["chat", "history", "bob3"]);
    expect(messages).toMatchObject([{ text: "two\nlines" }]);
    expect((await home.run(["chat", "send", "bob3"], " \n")).code).toBe(2);
    expect((await home.run(["chat", "send", "bob3", "--file", "/nowhere"])).code).toBe(2);
    expect((await home.run(["chat", "send", "bob3", "-"], "x".repeat(70_000))).code).toBe(2);
    expect((await home.run(["chat", "send", "nobody3", "hi"])).stderr).toContain("no user and no group of yours");
  });
});

describe("text of others", () => {
  test("reaches no terminal raw, and --json verbatim", async () => {
    await using home = await homeOf("bob4", "ada4");
    await home.json(["chat", "send", "bob4", "-"], hostile);
    const group = await home.json(["chat", "group", "create", "a\u202eb\u200b] @bob4", "@bob4"]);
    await home.json(["chat", "send", group.group_id, "-"], hostile);
    const tail = home.start(["chat", "tail", "--as", "bob4"]);
    await tail.until(() => tail.stdout.split("\n").length >= 6);
    const { stdout } = await home.run(["chat", "history", "ada4", "--as", "bob4"]);
    for (const shown of [stdout, tail.stdout]) {
      expect(shown).not.toMatch(/(?!\n)[\p{Cc}\u200b\u202e]/u);
      expect(shown).toMatch(/@ada4: hi\n {2}│ fake: line\n/);
    }
    expect(tail.stdout).toContain("[ab) @bob4] @ada4: hi");
    const json = await home.run(["chat", "history", "ada4", "--json", "--as", "bob4"]);
    expect(json.stdout).not.toMatch(/(?!\n)[\p{Cc}\u200b\u202e]/u);
    expect(JSON.parse(json.stdout).messages).toMatchObject([{ text: hostile }]);
  });
});

describe("tail", () => {
  test("goes on behind a cursor, also behind what a chat or another tail has seen since", async () => {
    await using home = await homeOf("bob5", "ada5");
    const send = (text: string) => home.json(["chat", "send", "bob5", text, "--wait", "delivered"]);
    const first = home.start(["chat", "tail", "--json", "--as", "bob5"]);
    await send("one");
    await send("two");
    await first.until(() => first.documents().length === 2);
    await first.stop("SIGTERM");
    const cursors = first.documents().map(({ cursor }) => cursor);
    await home.json(["chat", "send", "bob5", "three"]);
    const second = home.start(["chat", "tail", "--json", "--as", "bob5"]);
    await second.until(() => second.documents().length === 1);
    expect(second.documents()).toMatchObject([{ text: "three" }]);
    await second.kill();
    const third = home.start(["chat", "tail", "--json", "--as", "bob5", "--since", cursors[0] ?? ""]);
    await third.until(() => third.documents().length === 2);
    await send("four");
    await third.until(() => third.documents().length === 3);
    expect(third.documents().map(({ text }) => text)).toEqual(["two", "three", "four"]);
    expect(third.documents()[0]?.cursor).toBe(cursors[1]);
    await third.stop("SIGINT");
    const foreign = await home.run(["chat", "tail", "--as", "bob5", "--since", "0123456789abcdef.1"]);
    expect(foreign.code).toBe(2);
  });

  test("has its device to itself; everything else works beside it", async () => {
    await using home = await homeOf("bob6", "ada6");
    const tail = home.start(["chat", "tail", "--json", "--as", "ada6"]);
    await home.json(["chat", "send", "ada6", "ready?", "--as", "bob6", "--wait", "delivered"]);
    const second = await home.run(["chat", "tail", "--json"]);
    expect(second.code).toBe(6);
    expect(JSON.parse(second.stdout).error.message).toContain(`process ${tail.child.pid}`);
    expect((await home.run(["chat", "bob6"], "hi\n")).code).toBe(6);
    const sent = await home.json(["chat", "send", "bob6", "beside"]);
    // The device that sent it over HTTP is told over its connection all the same.
    await tail.until(() => tail.documents().some(({ message_id }) => message_id === sent.message_id));
    expect((await home.json(["chat", "history", "bob6"])).messages).toHaveLength(2);
    await tail.stop("SIGINT");
  });

  test("ends quietly when its reader goes away", async () => {
    await using home = await homeOf("bob7", "ada7");
    const tail = home.start(["chat", "tail", "--json", "--as", "bob7"]);
    await home.json(["chat", "send", "bob7", "one", "--wait", "delivered"]);
    tail.child.stdout.destroy();
    await home.json(["chat", "send", "bob7", "two", "--wait", "sent"]);
    expect(await tail.ended).toMatchObject({ code: 0 });
  });
});

describe("lines from a pipe", () => {
  test("are sent in order, with commands between them, and the server has them at the end", async () => {
    await using home = await homeOf("bob8", "ada8");
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
    const input = [
      "/to @bob8",
      ...lines,
      "//slash",
      "",
      "/group create Pair8 @bob8",
      "in the group",
      "no newline",
    ].join("\n");
    const result = await home.run(["chat"], input);
    expect(result).toMatchObject({ code: 0 });
    const direct = await home.json(["chat", "history", "@bob8", "-n", "100"]);
    expect(direct.messages.map(({ text }) => text)).toEqual([...lines, "/slash"]);
    const group = await home.json(["chat", "history", "pair8", "--as", "bob8"]);
    expect(group.messages).toMatchObject([{ kind: "system" }, { text: "in the group" }, { text: "no newline" }]);
  });

  test("that cannot be carried out are named, the others are sent, and the exit says so", async () => {
    await using home = await homeOf("bob9", "ada9");
    const result = await home.run(["chat", "@bob9"], "before\n/hlep\nafter\n");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("There is no command /hlep. Did you mean /help?");
    const { messages } = await home.json(["chat", "history", "@bob9"]);
    expect(messages).toMatchObject([{ text: "before" }, { text: "after" }]);
    const homeless = await home.run(["chat"], "to whom?\n");
    expect(homeless.code).toBe(1);
    expect(homeless.stderr).toContain("No chat is open.");
  });

  test("print what comes meanwhile, and do not mark it as read", async () => {
    await using home = await homeOf("bobA", "adaA");
    const chat = home.start(["chat", "@adaA", "--json", "--as", "bobA"]);
    const sent = await home.json(["chat", "send", "@bobA", "psst", "--wait", "delivered"]);
    await chat.until(() => chat.documents().some(({ message_id }) => message_id === sent.message_id));
    chat.child.stdin.end("and back\n");
    expect((await chat.ended).code).toBe(0);
    const { messages } = await home.json(["chat", "history", "@bobA"]);
    expect(messages).toMatchObject([{ text: "psst", status: "delivered" }, { text: "and back" }]);
  });

  test("keep what the server did not take for the next time", async () => {
    await using network = new LossyNetwork(Number(new URL(server.url).port));
    const url = await network.open();
    await using home = new CliHome();
    await home.register(url, "bobB");
    await home.register(url, "adaB");
    const chat = home.start(["chat", "@bobB", "--timeout", "1s"]);
    chat.child.stdin.write("one\n");
    while ((await home.json(["chat", "history", "@bobB"])).messages.length === 0);
    network.cut();
    chat.child.stdin.end("two\n");
    const result = await chat.ended;
    expect(result.code).toBe(4);
    expect(result.stderr).toContain("1 of your messages wait for the server.");
    network.mend();
    const next = home.start(["chat", "@bobB"]);
    next.child.stdin.end("three\n");
    expect((await next.ended).code).toBe(0);
    const { messages } = await home.json(["chat", "history", "@bobB"]);
    expect(messages.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  });
});

describe("names", () => {
  test("that mean several chats are refused with what they may mean", async () => {
    await using home = await homeOf("bobC", "adaC");
    await home.json(["chat", "group", "create", "bobC", "@bobC"]);
    const result = await home.run(["chat", "send", "bobC", "who?"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/may mean 2 chats\.\n {2}fix: Say which: @bobC, bobC = [0-9a-f-]{36}\./);
    await home.json(["chat", "send", "@bobC", "you"]);
  });

  test("of groups follow a rename, and members come and go", async () => {
    await using home = await homeOf("bobD", "carD", "adaD");
    const made = await home.json(["chat", "group", "create", "GroupD", "@bobD"]);
    expect(made.members).toMatchObject([
      { handle: "adaD", role: "owner" },
      { handle: "bobD", role: "member" },
    ]);
    await home.json(["chat", "group", "add", "groupd", "carD"]);
    const renamed = await home.json(["chat", "group", "rename", "GroupD", "New name"]);
    expect(renamed).toMatchObject({ name: "New name", group_id: made.group_id });
    await home.json(["chat", "group", "remove", "New name", "@carD"]);
    expect(await home.json(["chat", "group", "leave", "new name", "--as", "bobD"])).toEqual({ left: made.group_id });
    expect((await home.json(["chat", "group", "info", made.group_id])).members).toHaveLength(1);
    const refused = await home.run(["chat", "group", "rename", made.group_id, "Mine", "--as", "bobD"]);
    expect(refused.code).toBe(1);
    const { stdout } = await home.run(["chat", "history", "New name"]);
    expect(stdout).toContain("· @adaD made the group GroupD with @bobD");
    expect(stdout).toContain("· @bobD left");
  });
});
