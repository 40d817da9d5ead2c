import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { logIn, logOut, registerAccount } from "../../src/client/runtime/account-api.ts";
import { DirectoryApi } from "../../src/client/runtime/directory-api.ts";
import { SessionKeeper } from "../../src/client/runtime/session-keeper.ts";
import { me, messageIdOf, peer } from "../helpers/scripted-machine.ts";

interface Seen {
  readonly call: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

const sessionBody = {
  user_id: me,
  device: 1,
  access_token: "a2",
  access_expires_at: Date.now() + 3_600_000,
  refresh_token: "r2",
};
const groupBody = { group_id: messageIdOf(1), name: "g", created_at: 1, membership: 3, members: [] };

describe("the HTTP side of the client", () => {
  let server: Server;
  let url: string;
  let seen: Seen[];
  let answer: (call: string) => { status: number; body?: unknown; text?: string };

  beforeEach(async () => {
    seen = [];
    answer = () => ({ status: 200, body: sessionBody });
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const call = `${request.method} ${request.url}`;
        seen.push({
          call,
          authorization: request.headers.authorization,
          body: text === "" ? undefined : JSON.parse(text),
        });
        const { status, body, text: raw } = answer(call);
        response.writeHead(status).end(raw ?? (body === undefined ? "" : JSON.stringify(body)));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  const keeper = (known: { accessExpiresAt?: number; refreshToken?: string | undefined } = {}): SessionKeeper =>
    new SessionKeeper(
      { url },
      systemClock,
      {
        userId: me,
        device: 1,
        accessToken: "a1",
        accessExpiresAt: Date.now() + 3_600_000,
        refreshToken: "r1",
        ...known,
      },
      () => undefined,
    );

  test("accounts speak the wire's words", async () => {
    const account = { handle: "ada", password: "secret-secret", displayName: "Ada", deviceName: "desk" };
    expect(await registerAccount({ url }, account)).toMatchObject({ userId: me, device: 1, accessToken: "a2" });
    await logIn({ url }, { handle: "ada", password: "secret-secret", device: 1, deviceName: "desk" });
    answer = () => ({ status: 204 });
    await logOut({ url }, "a2", "all");
    expect(seen).toEqual([
      {
        call: "POST /api/register",
        authorization: undefined,
        body: { handle: "ada", password: "secret-secret", display_name: "Ada", device_name: "desk" },
      },
      {
        call: "POST /api/login",
        authorization: undefined,
        body: { handle: "ada", password: "secret-secret", device_name: "desk", device: 1 },
      },
      { call: "POST /api/logout", authorization: "Bearer a2", body: { scope: "all" } },
    ]);
  });

  test("groups and users are asked for with the token", async () => {
    const directory = new DirectoryApi((request) => keeper().request(request));
    answer = (call) => ({
      status: 200,
      body: call.includes("/users/") ? { user_id: peer, handle: "b", display_name: "B" } : groupBody,
    });
    expect(await directory.userByHandle("a/b")).toMatchObject({ userId: peer });
    await directory.user(peer);
    expect(await directory.createGroup(messageIdOf(1), messageIdOf(2), "g", [peer])).toMatchObject({ membership: 3 });
    await directory.group(messageIdOf(1));
    await directory.renameGroup(messageIdOf(1), messageIdOf(3), 1, "h");
    await directory.addMembers(messageIdOf(1), messageIdOf(4), 2, [peer]);
    await directory.removeMember(messageIdOf(1), messageIdOf(5), 3, peer);
    await directory.setRoles(messageIdOf(1), messageIdOf(6), 4, [peer], "admin");
    const at = `/api/groups/${messageIdOf(1)}`;
    expect(seen.map(({ call }) => call)).toEqual([
      "GET /api/users/by-handle/a%2Fb",
      `GET /api/users/${peer}`,
      "POST /api/groups",
      `GET ${at}`,
      `PATCH ${at}`,
      `PUT ${at}/members`,
      `DELETE ${at}/members/${peer}?message_id=${messageIdOf(5)}&expected_version=3`,
      `PUT ${at}/roles`,
    ]);
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer a1"]));
  });

  test("a problem document becomes an error with its code, its fix and whether a retry helps", async () => {
    const problem = { code: "rate_limited", detail: "slow down", fix: "Wait.", retry_after_ms: 700 };
    answer = () => ({ status: 429, body: problem });
    await expect(keeper().request({ method: "GET", path: "/x" })).rejects.toMatchObject({
      code: "rate_limited",
      status: 429,
      message: "slow down",
      fix: "Wait.",
      temporary: true,
      retryAfterMs: 700,
    });
  });

  test("what is not from such a server is called so", async () => {
    answer = () => ({ status: 502, text: "<html>bad gateway</html>" });
    await expect(keeper().request({ method: "GET", path: "/x" })).rejects.toMatchObject({
      code: "unexpected_answer",
      temporary: true,
    });
    answer = () => ({ status: 200, body: { user_id: 7 } });
    await expect(logIn({ url }, { handle: "a", password: "b", deviceName: "" })).rejects.toMatchObject({
      code: "unexpected_answer",
      temporary: false,
    });
    const nowhere = { url: "http://127.0.0.1:1" };
    await expect(logIn(nowhere, { handle: "a", password: "b", deviceName: "" })).rejects.toMatchObject({
      code: "unreachable",
      status: 0,
    });
  });

  test("a token that is refused or about to expire is renewed once for all who need it", async () => {
    answer = (call) => {
      if (call === "POST /api/refresh") return { status: 200, body: sessionBody };
      return seen.at(-1)?.authorization === "Bearer a1"
        ? { status: 401, body: { code: "unauthenticated" } }
        : { status: 200, body: {} };
    };
    const session = keeper();
    await Promise.all([1, 2, 3].map(() => session.request({ method: "GET", path: "/x" })));
    expect(seen.filter(({ call }) => call === "POST /api/refresh")).toHaveLength(1);
    seen = [];
    await Promise.all([1, 2].map(() => keeper({ accessExpiresAt: 0 }).accessToken()));
    expect(seen.map(({ body }) => body)).toEqual([{ refresh_token: "r1" }, { refresh_token: "r1" }]);
    await expect(keeper({ refreshToken: undefined }).refresh()).rejects.toMatchObject({ code: "unauthenticated" });
  });
});
