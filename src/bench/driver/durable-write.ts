import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";

/**
 * What one small write costs here when it has to be on disk before the next begins: without this figure, no rate of durable
 * messages can be judged. Blocks for writes × the disk's latency (some 10 to 500 ms). Answers the median in µs.
 */
export function probeDurableWriteUs(folder: string, writes = 50, bytes = 4_096): number {
  const file = path.join(folder, "durable-write-probe");
  const content = Buffer.alloc(bytes, 1);
  const times: number[] = [];
  const descriptor = openSync(file, "w", 0o600);
  try {
    for (let write = 0; write < writes; write++) {
      const before = performance.now();
      writeSync(descriptor, content);
      fsyncSync(descriptor);
      times.push((performance.now() - before) * 1_000);
    }
  } finally {
    closeSync(descriptor);
    rmSync(file, { force: true });
  }
  times.sort((one, other) => one - other);
  return Math.round(times[Math.floor(times.length / 2)] ?? 0);
}
