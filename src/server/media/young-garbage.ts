import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Keeps what passes through buffers from piling up. Every piece that a socket brings is a buffer of its own, outside of the
 * heap, and V8 lets some 64 MiB of them lie before it looks: a server that reads one large object grows by that much. A
 * collection of the young generation takes a millisecond or two and frees them. Answers what to call with the number of
 * bytes that were read and are done with; it collects once every `everyBytes`.
 */
export function createGarbageBound(
  everyBytes: number,
  collect: () => void = youngCollector(),
): (bytes: number) => void {
  let passed = 0;
  return (bytes) => {
    passed += bytes;
    if (passed < everyBytes) return;
    passed = 0;
    collect();
  };
}

function youngCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: object) => void;
  return () => collect({ type: "minor" });
}
