import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogHead } from "../../core/model.ts";
import { findNewestBucket, type ReadHead } from "./newest-bucket.ts";

const bucketRows = 8;

/** A log that ends at `head`, and how often it was read. */
function logOf(head: number): { readonly readHead: ReadHead; readonly reads: () => number; readonly newest: number } {
  let reads = 0;
  const newest = Math.floor((head - 1) / bucketRows);
  const headOf = (bucket: number): LogHead => {
    const end = Math.min(head, (bucket + 1) * bucketRows);
    return { head: end, headUcount: end, headAt: end, membership: 0 };
  };
  const readHead: ReadHead = (bucket) => {
    reads++;
    return Promise.resolve(head > 0 && bucket <= newest ? headOf(bucket) : undefined);
  };
  return { readHead, reads: () => reads, newest };
}

describe("the newest bucket", () => {
  test("is found from any bucket that exists", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5_000 }), fc.nat(), async (head, pick) => {
        const log = logOf(head);
        const hint = pick % (log.newest + 1);
        const found = await findNewestBucket(log.readHead, bucketRows, hint);
        expect(found).toMatchObject({ bucket: log.newest, head: { head } });
      }),
    );
  });

  test("costs one read when the hint is good, two when it is full, and few from the very beginning", async () => {
    const reads = async (head: number, hint: number): Promise<number> => {
      const log = logOf(head);
      await findNewestBucket(log.readHead, bucketRows, hint);
      return log.reads();
    };
    expect(await reads(8 * 500 + 3, 500)).toBe(1);
    expect(await reads(8 * 500, 499)).toBe(2);
    expect(await reads(8 * 1_000 + 1, 0)).toBeLessThanOrEqual(20);
  });

  test("of a log without rows is none, and a hint that is not there yet is not believed", async () => {
    expect(await findNewestBucket(logOf(0).readHead, bucketRows, 0)).toBeUndefined();
    expect(await findNewestBucket(logOf(20).readHead, bucketRows, 7)).toMatchObject({ bucket: 2, head: { head: 20 } });
  });
});
