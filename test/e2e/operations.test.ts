import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { messageTo, RawClient } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("/livez and /readyz say so, without a token", async () => {
  for (const route of ["/livez", "/readyz"]) expect((await fetch(`${server.adminUrl}${route}`)).status).toBe(200);
});

test("/metrics counts frames, connections, appends and answers, and names no one", async () => {
  const [alice, bob] = (await server.createUsers(2)) as [TestUser, TestUser];
  await using a = await RawClient.greet(server.wsUrl, alice);
  for (let count = 0; count < 3; count++) await a.ask(messageTo(bob.userId, "x", count));
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  expect(text).toContain('msgr_frames_received_total{type="SEND_MESSAGE"} 3');
  expect(text).toContain('msgr_frames_sent_total{type="ACK"} 3');
  expect(text).toContain("msgr_connections 1");
  expect(text).toContain("msgr_connections_greeted 1");
  expect(text).toContain('msgr_appends_total{outcome="appended"} 3');
  expect(text).toContain('msgr_answer_seconds_count{type="SEND_MESSAGE"} 3');
  expect(text).toMatch(/msgr_event_loop_lag_p99_seconds \d/);
  expect(text).toContain('msgr_queue_entries{queue="frames"} 0');
  expect(text).toContain('msgr_queue_entries{queue="lmdb"} 0');
  expect(text).toContain('msgr_queue_bytes{queue="clients"} 0');
  expect(text).not.toContain(alice.userId);
  expect(text).not.toContain(alice.handle);
});

test("/debug/config wants the token and masks it", async () => {
  expect((await fetch(`${server.adminUrl}/debug/config`)).status).toBe(401);
  const shown = await (await server.admin("GET", "/debug/config")).text();
  expect(shown).toContain("admin.token");
  expect(shown).not.toContain("a secret of this test run");
});

test("the public port knows nothing of administration", async () => {
  for (const route of ["/metrics", "/admin/users", "/debug/config", "/readyz"]) {
    expect((await fetch(`${server.url}${route}`)).status).toBe(404);
  }
});

test("SIGHUP takes over what may change, and a wrong configuration changes nothing", async () => {
  using own = temporaryFolder();
  const file = `${own.path}/msgr.yaml`;
  writeFileSync(file, "log: {level: warn}\n");
  const words = ["serve", "--json", "--data", `${own.path}/data`, "--port", "0"];
  await using process = await startServer(`${own.path}/data`, { words });
  writeFileSync(file, "log: {levle: info}\n");
  process.process.kill("SIGHUP");
  await expect.poll(() => process.stderr()).toContain("Did you mean level?");
  expect(process.stderr()).not.toContain("Configuration read again");
  writeFileSync(file, "log: {level: info}\n");
  process.process.kill("SIGHUP");
  await expect.poll(() => process.stderr()).toContain("Configuration read again");
});
