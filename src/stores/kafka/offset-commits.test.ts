import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { OffsetCommits } from "./offset-commits.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = new ManualClock();
  const sent: { readonly offsets: ReadonlyMap<number, bigint>; end(): void; fail(): void }[] = [];
  const send = (offsets: ReadonlyMap<number, bigint>): Promise<void> =>
    new Promise((resolve, reject) => {
      sent.push({ offsets, end: resolve, fail: () => reject(new Error("the group is forming anew")) });
    });
  const commits = new OffsetCommits({ clock, send, retryMs: 100 });
  const settled = async (partition?: number): Promise<boolean> => {
    const ended = commits.settle(60_000, partition).then(() => true);
    return Promise.race([ended, turn().then(() => false)]);
  };
  return { clock, sent, commits, settled };
}

test("one commit at a time, with the newest of every partition", async () => {
  const { sent, commits, settled } = setUp();
  commits.mark(1, 5n);
  commits.mark(1, 9n);
  commits.mark(2, 3n);
  expect(sent.map(({ offsets }) => [...offsets])).toEqual([[[1, 5n]]]);
  expect(await settled()).toBe(false);
  sent[0]?.end();
  await turn();
  expect([...(sent[1]?.offsets ?? [])]).toEqual([
    [1, 9n],
    [2, 3n],
  ]);
  sent[1]?.end();
  expect(await settled()).toBe(true);
});

test("a commit that is refused is tried again after a pause, with what came meanwhile", async () => {
  const { clock, sent, commits } = setUp();
  commits.mark(1, 5n);
  sent[0]?.fail();
  await turn();
  commits.mark(1, 6n);
  expect(sent).toHaveLength(1);
  clock.advance(100);
  await turn();
  expect([...(sent[1]?.offsets ?? [])]).toEqual([[1, 6n]]);
});

test("nothing is sent of a partition that was forgotten, and whoever waited for it goes on", async () => {
  const { clock, sent, commits } = setUp();
  commits.mark(1, 5n);
  commits.mark(2, 7n);
  sent[0]?.fail();
  await turn();
  const settling = commits.settle(60_000, 1);
  commits.forget(1);
  await settling;
  clock.advance(100);
  await turn();
  expect([...(sent[1]?.offsets ?? [])]).toEqual([[2, 7n]]);
});

test("settling has an end when the broker does not answer", async () => {
  const { clock, commits } = setUp();
  commits.mark(1, 5n);
  const settling = commits.settle(1_000);
  clock.advance(1_000);
  await expect(settling).resolves.toBeUndefined();
});
