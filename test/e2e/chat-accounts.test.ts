import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliHome, passwordOf } from "../helpers/chat-cli.ts";
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

describe("accounts of a machine", () => {
  test("are made, named, left and entered again as the same device", async () => {
    await using home = new CliHome();
    const made = await home.json(["register", "anna", "--server", server.url], "anna-password\n");
    expect(made).toMatchObject({ name: "anna", handle: "anna", device: 1, server: server.url });
    expect(statSync(home.accountsFile).mode & 0o777).toBe(0o600);
    expect((await home.json(["whoami"])).accounts).toEqual([{ ...made, current: true, logged_in: true }]);
    expect(await home.json(["logout"])).toEqual({ name: "anna", ended_on_server: true });
    const refused = await home.run(["chat", "chats", "--as", "anna"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(`msgr login anna --server ${server.url} --as anna`);
    expect(await home.json(["login", "anna"], "anna-password\n")).toEqual(made);
    expect(await home.json(["login", "anna", "--as", "anna-2", "--server", server.url], "anna-password")).toMatchObject(
      {
        name: "anna-2",
        device: 2,
      },
    );
    const { stdout } = await home.run(["whoami", "--all"]);
    expect(stdout).toContain(`  @anna on ${server.url}, device 1\n* anna-2: @anna on ${server.url}, device 2`);
  });

  test("a wrong password and a taken handle are failures with a fix, and stdout parses all the same", async () => {
    await using home = new CliHome();
    await home.register(server.url, "bert");
    const wrong = await home.run(["login", "bert", "--json", "--server", server.url], "not it at all\n");
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      error: { exit: 1, message: "The handle or the password is wrong." },
    });
    const taken = await home.run(["register", "bert", "--server", server.url], "bert-password\n");
    expect(taken).toMatchObject({ code: 1, stdout: "" });
    expect(taken.stderr).toContain("fix: Choose another one.");
  });

  test("without a terminal nobody is asked, and an empty pipe is no password", async () => {
    await using home = new CliHome();
    const empty = await home.run(["login", "carl", "--no-input", "--server", server.url]);
    expect(empty.code).toBe(2);
    expect(empty.stderr).toContain("There is no password in standard input.");
    const short = await home.run(["register", "carl", "--server", server.url], "short\n");
    expect(short.code).toBe(2);
    const odd = await home.run(["register", "c!", "--server", server.url], "long enough\n");
    expect(odd.code).toBe(2);
  });

  test("tokens of one server are not shown to another", async () => {
    await using home = new CliHome();
    await home.register(server.url, "dora");
    const elsewhere = await home.run(["chat", "chats", "--server", "http://127.0.0.1:1"]);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toContain("No account of this machine is one of http://127.0.0.1:1.");
    expect((await home.run(["chat", "chats", "--server", `${server.url}/path`])).code).toBe(2);
  });

  test("processes that find the access token expired at once share one refresh", async () => {
    await using home = new CliHome();
    await home.register(server.url, "emil");
    const expire = (): string => {
      const content = JSON.parse(readFileSync(home.accountsFile, "utf8"));
      content.accounts.emil.tokens.access_expires_at = 1;
      writeFileSync(home.accountsFile, JSON.stringify(content));
      return content.accounts.emil.tokens.refresh_token as string;
    };
    const before = expire();
    const results = await Promise.all([1, 2, 3, 4].map(() => home.run(["chat", "chats", "--json"])));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const after = expire();
    expect(after).not.toBe(before);
    // The session lives on: a token that had been shown twice would have ended it.
    expect((await home.run(["chat", "chats"])).code).toBe(0);
  });

  test("a tail goes on when another process has renewed its tokens", async () => {
    await using home = new CliHome();
    await home.register(server.url, "frida");
    await home.register(server.url, "gustav");
    const tail = home.start(["chat", "tail", "--json", "--as", "frida"]);
    await home.json(["chat", "send", "@frida", "one", "--as", "gustav", "--wait", "delivered"]);
    const content = JSON.parse(readFileSync(home.accountsFile, "utf8"));
    content.accounts.frida.tokens.access_expires_at = 1;
    writeFileSync(home.accountsFile, JSON.stringify(content));
    await home.json(["chat", "send", "@gustav", "renews", "--as", "frida"]);
    await home.json(["chat", "send", "@frida", "two", "--as", "gustav", "--wait", "delivered"]);
    const others = () => tail.documents().filter(({ own }) => !own);
    await tail.until(() => others().length >= 2);
    expect(others().map(({ text }) => text)).toEqual(["one", "two"]);
    expect((await tail.stop("SIGINT")).code).toBe(130);
  });
});

test("a server that is down: exit 4 and the command that mends it", async () => {
  await using home = new CliHome();
  const down = "http://127.0.0.1:9";
  const login = await home.run(["login", "hugo", "--server", down, "--json"], `${passwordOf("hugo")}\n`);
  expect(login.code).toBe(4);
  expect(JSON.parse(login.stdout).error).toMatchObject({ exit: 4, fix: expect.stringContaining("msgr serve --dev") });
  expect(login.stderr).toContain("127.0.0.1:9 cannot be reached");
});
