import { describe, expect, it } from "vitest";
import { listeningSockets } from "./owns-port.ts";
import { elapsedSeconds } from "./process-usage.ts";

describe("listeningSockets", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 23456 1 0000 100 0 0 10 0",
    "   1: 0100007F:18EB 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 34567 1 0000 20 4 30 10 -1",
    "   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 45678 1 0000 100 0 0 10 0",
  ].join("\n");

  it("finds who listens on a port, not who is connected to it", () => {
    expect(listeningSockets(table, 6379)).toEqual(["socket:[23456]"]);
    expect(listeningSockets(table, 80)).toEqual(["socket:[45678]"]);
    expect(listeningSockets(table, 81)).toEqual([]);
  });
});

describe("elapsedSeconds", () => {
  it.each([
    ["00:07", 7],
    ["02:03", 123],
    ["01:00:01", 3_601],
    ["2-00:00:05", 172_805],
  ])("%s is %d", (text, seconds) => {
    expect(elapsedSeconds(text)).toBe(seconds);
  });
});
