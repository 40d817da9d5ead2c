import { appendFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Arrivals, type Arrival } from "../../src/cli/chat/arrivals.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

const chat = "01900000-0000-7000-8000-000000000001";
const other = "01900000-0000-7000-8000-00000000ffff";
const arrival = (seq: number, conversationId = chat): Arrival => ({ conversationId, seq, flag: "new" });

test("arrivals keep their order and their cursors over restarts, each once", async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, "arrivals");
  const first = await Arrivals.open(file);
  const [one, two] = await first.append([arrival(7), arrival(2 ** 40, other), arrival(7)]);
  expect(await first.append([arrival(7), { ...arrival(8), flag: "known" }])).toMatchObject([{ seq: 8, flag: "known" }]);
  await first.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await Arrivals.open(file);
  expect(again.count).toBe(3);
  expect(again.position(one?.cursor ?? "")).toBe(1);
  expect([...again.since(1)]).toEqual([two, { ...arrival(8), flag: "known", cursor: expect.any(String) }]);
  expect(again.has(other, 2 ** 40)).toBe(true);
  expect(again.has(chat, 9)).toBe(false);
  await again.close();
});

test("a record that a crash tore is cut off, and the next one stands in its place", async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, "arrivals");
  const first = await Arrivals.open(file);
  await first.append([arrival(1)]);
  await first.close();
  appendFileSync(file, Buffer.alloc(11, 255));
  const torn = await Arrivals.open(file);
  expect(torn.count).toBe(1);
  const [next] = await torn.append([arrival(2)]);
  await torn.close();
  const again = await Arrivals.open(file);
  expect([...again.since(1)]).toEqual([next]);
  await again.close();
});

test("cursors of another file, of the future, or of nothing are told apart", async () => {
  using folder = temporaryFolder();
  const one = await Arrivals.open(path.join(folder.path, "one"));
  const second = await Arrivals.open(path.join(folder.path, "other"));
  const [first] = await one.append([arrival(1)]);
  const cursor = first?.cursor ?? "";
  expect(one.position(cursor)).toBe(1);
  expect(second.position(cursor)).toBeUndefined();
  expect(one.position(cursor.replace(/\d+$/, "2"))).toBeUndefined();
  expect(one.position("7")).toBeUndefined();
  await one.close();
  await second.close();
  writeFileSync(path.join(folder.path, "one"), "garbage");
  const anew = await Arrivals.open(path.join(folder.path, "one"));
  expect(anew.position(cursor)).toBeUndefined();
  await anew.close();
});
