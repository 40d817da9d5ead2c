import { expect, test } from "vitest";
import type { Device } from "../core/model.ts";
import { SessionGuard } from "./session-guard.ts";

const device = (number: number): Device => ({ userId: "u", device: number, name: "", createdAt: 0, lastSeenAt: 0 });

function connect(number: number, familyId: string) {
  const closes: string[] = [];
  return {
    caller: { userId: "u", device: number },
    familyId,
    closes,
    close: (reason: string) => void closes.push(reason),
  };
}

test("ended sessions are closed: of a device that is gone as removed, of one that is not as unauthenticated", async () => {
  const guard = new SessionGuard(
    { alive: async () => new Set(["open"]), devices: async () => [device(1), device(2)] },
    () => {},
  );
  const [open, ended, removed] = [connect(1, "open"), connect(2, "ended"), connect(3, "removed")];
  await guard.check([open, ended, removed]);
  expect([open.closes, ended.closes, removed.closes]).toEqual([[], ["unauthenticated"], ["device_removed"]]);
});

test("a store that does not answer closes nobody", async () => {
  const errors: unknown[] = [];
  const failing = { alive: () => Promise.reject(new Error("gone")), devices: async () => [] };
  const guard = new SessionGuard(failing, (error) => void errors.push(error));
  const connection = connect(1, "open");
  await guard.check([connection]);
  expect([connection.closes.length, errors.length]).toEqual([0, 1]);
});
