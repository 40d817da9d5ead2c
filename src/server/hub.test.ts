import { describe, expect, test } from "vitest";
import { Hub, type HubConnection } from "./hub.ts";

class FakeConnection implements HubConnection {
  readonly caller: { readonly userId: string; readonly device: number };
  readonly pushed: Buffer[] = [];
  readonly closes: string[] = [];
  readonly ordinal: number;
  readonly #hub: Hub<FakeConnection>;

  constructor(hub: Hub<FakeConnection>, userId: string, device: number, ordinal: number) {
    this.#hub = hub;
    this.ordinal = ordinal;
    this.caller = { userId, device };
    hub.add(this);
  }

  push(encoded: Buffer): void {
    this.pushed.push(encoded);
  }

  close(reason: "replaced"): void {
    this.closes.push(reason);
    this.#hub.remove(this);
  }
}

const frame = { type: "RESYNC", reason: "test" } as const;

function createHub() {
  const hub = new Hub<FakeConnection>();
  let opened = 0;
  const connect = (userId: string, device: number, ordinal = ++opened) =>
    new FakeConnection(hub, userId, device, ordinal);
  return { hub, connect };
}

describe("Hub", () => {
  test("delivers to every device of the users named, but not to the one excepted", () => {
    const { hub, connect } = createHub();
    const [a1, a2, b1, c1] = [connect("a", 1), connect("a", 2), connect("b", 1), connect("c", 1)];
    hub.deliver({ userIds: ["a", "b", "nobody"], frame, except: { userId: "a", device: 1 } });
    expect([a1, a2, b1, c1].map((connection) => connection.pushed.length)).toEqual([0, 1, 1, 0]);
  });

  test("encodes a frame once for all of its receivers", () => {
    const { hub, connect } = createHub();
    const [a, b] = [connect("a", 1), connect("b", 1)];
    hub.deliver({ userIds: ["a", "b"], frame });
    expect(a.pushed[0]).toBe(b.pushed[0]);
  });

  test("a second connection of a device replaces the first, one of another device does not", () => {
    const { hub, connect } = createHub();
    const [first, other] = [connect("a", 1), connect("a", 2)];
    const second = connect("a", 1);
    expect([first.closes, other.closes, second.closes]).toEqual([["replaced"], [], []]);
    expect(hub.of("a")).toEqual([other, second]);
    expect(hub.size).toBe(2);
  });

  test("an older connection that says HELLO after the newer one loses, and the newer one stays", () => {
    const { hub, connect } = createHub();
    const newer = connect("a", 1, 2);
    const older = connect("a", 1, 1);
    expect([older.closes, newer.closes]).toEqual([["replaced"], []]);
    expect([hub.of("a"), hub.size]).toEqual([[newer], 1]);
  });

  test("removing the replaced connection again does not touch the one that came after", () => {
    const { hub, connect } = createHub();
    const first = connect("a", 1);
    const second = connect("a", 1);
    hub.remove(first);
    expect(hub.of("a")).toEqual([second]);
    expect(hub.size).toBe(1);
  });

  test("a connection that leaves while it is delivered to does not cost another its frame", () => {
    const { hub, connect } = createHub();
    const devices = [1, 2, 3].map((device) => connect("a", device));
    const middle = devices[1] as FakeConnection;
    middle.push = () => hub.remove(middle);
    hub.deliver({ userIds: ["a"], frame });
    expect(devices.map((connection) => connection.pushed.length)).toEqual([1, 0, 1]);
  });

  test("a broadcast reaches everyone", () => {
    const { hub, connect } = createHub();
    const all = [connect("a", 1), connect("a", 2), connect("b", 1)];
    hub.broadcast(frame);
    expect(all.every((connection) => connection.pushed.length === 1)).toBe(true);
  });
});
