import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { limits } from "../../protocol/limits.ts";
import { JobWriter, type JobMessage } from "./job-writer.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function message(name: string): JobMessage {
  return { key: Buffer.from("key"), value: Buffer.from(name), timestampMs: 1 };
}

function setUp() {
  const clock = new ManualClock();
  const sends: { readonly names: readonly string[]; end(): void; fail(error?: unknown): void }[] = [];
  let failures = 0;
  const writer = new JobWriter({
    clock,
    withinMs: 1_000,
    onFailure: () => void failures++,
    send: (messages) =>
      new Promise((resolve, reject) => {
        const names = messages.map(({ value }) => String(value));
        sends.push({ names, end: resolve, fail: (error = new Error("broken")) => reject(error) });
      }),
  });
  return { clock, sends, writer, failures: () => failures };
}

test("one send at a time; what comes meanwhile goes out together, in the order of the calls", async () => {
  const { sends, writer } = setUp();
  const first = writer.write([message("a")]);
  const others = Promise.all(["b", "c", "d"].map((name) => writer.write([message(name)])));
  expect(sends.map(({ names }) => names)).toEqual([["a"]]);
  sends[0]?.end();
  await first;
  await turn();
  expect(sends.map(({ names }) => names)).toEqual([["a"], ["b", "c", "d"]]);
  sends[1]?.end();
  await others;
});

test("what does not fit into one send waits for the next", async () => {
  const { sends, writer } = setUp();
  void writer.write([message("first")]);
  const many = Array.from({ length: 100 }, (_, index) =>
    writer.write(Array.from({ length: 8 }, () => message(`${index}`))),
  );
  for (let index = 0; index < 3; index++) {
    sends[index]?.end();
    await turn();
  }
  await Promise.all(many);
  expect(sends.map(({ names }) => names.length)).toEqual([1, 512, 288]);
});

test("a send that fails refuses those in it, and the next ones are tried", async () => {
  const { sends, writer, failures } = setUp();
  const first = writer.write([message("a")]);
  const second = writer.write([message("b")]);
  sends[0]?.fail();
  await expect(first).rejects.toThrow("broken");
  await turn();
  sends[1]?.end();
  await second;
  expect(failures()).toBe(1);
});

test("nobody waits for longer than they may, behind a send that hangs", async () => {
  const { clock, sends, writer, failures } = setUp();
  const stuck = writer.write([message("a")]);
  const behind = writer.write([message("b")]);
  const refused = Promise.all(
    [stuck, behind].map((each) => expect(each).rejects.toMatchObject({ code: "store_unavailable" })),
  );
  clock.advance(1_000);
  await refused;
  expect(failures()).toBe(2);
  sends[0]?.end();
  await turn();
  expect(sends).toHaveLength(1);
});

test("more than may wait is refused, and nothing of it is sent", async () => {
  const { sends, writer } = setUp();
  void writer.write([message("a")]);
  void writer.write(Array.from({ length: limits.fanOutJobsWaitingMax }, () => message("many")));
  await expect(writer.write([message("one more")])).rejects.toMatchObject({ code: "overloaded" });
  expect(sends).toHaveLength(1);
});
