import { Writable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { limits } from "../../protocol/limits.ts";
import { Outgoing } from "./outgoing.ts";

/** A socket whose kernel takes a write only when told to. */
function createSocket() {
  const taken: Buffer[] = [];
  const parked: (() => void)[] = [];
  const state = { reading: true };
  const socket = new Writable({
    highWaterMark: 16 * 1024,
    write(chunk: Buffer, _encoding, done) {
      const take = (): void => {
        taken.push(chunk);
        done();
      };
      if (state.reading) take();
      else parked.push(take);
    },
    // As a TCP socket does: what the kernel still held is given up.
    destroy(error, done) {
      for (const take of parked.splice(0)) take();
      done(error);
    },
  });
  const read = (): void => {
    state.reading = true;
    for (const take of parked.splice(0)) take();
  };
  return { socket, taken, read, stop: () => void (state.reading = false) };
}

function createOutgoing() {
  const parts = createSocket();
  const dirty: { flush(): void }[] = [];
  const onOverflow = vi.fn<() => void>();
  const host = { round: { add: (target: { flush(): void }) => void dirty.push(target) }, nowMs: () => 7 };
  const outgoing = new Outgoing(parts.socket, host, onOverflow);
  const turn = (): void => {
    for (const target of dirty.splice(0)) target.flush();
  };
  return { ...parts, outgoing, onOverflow, turn };
}

const frame = (bytes: number): Buffer => Buffer.alloc(bytes, 1);

describe("Outgoing", () => {
  test("frames of one turn leave in one write, in order", () => {
    const { outgoing, taken, turn } = createOutgoing();
    outgoing.push(Buffer.from("a"));
    outgoing.push(Buffer.from("b"));
    expect(taken).toHaveLength(0);
    turn();
    expect(taken.map(String)).toEqual(["ab"]);
  });

  test("a burst to a client that reads never overflows, however large", () => {
    const { outgoing, onOverflow, turn, taken } = createOutgoing();
    for (let count = 0; count < limits.sendQueueFramesMax * 3; count++) outgoing.push(frame(1_000));
    turn();
    expect(onOverflow).not.toHaveBeenCalled();
    expect(taken.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(limits.sendQueueFramesMax * 3_000);
  });

  test("a client that does not read overflows at the bound in bytes, once", () => {
    const { outgoing, onOverflow, turn, stop } = createOutgoing();
    stop();
    for (let sent = 0; sent <= limits.sendQueueBytesMax; sent += 10_000) {
      expect(onOverflow).not.toHaveBeenCalled();
      outgoing.push(frame(10_000));
      turn();
    }
    outgoing.push(frame(10_000));
    turn();
    expect(onOverflow).toHaveBeenCalledTimes(1);
  });

  test("a client that does not read overflows at the bound in frames", () => {
    const { outgoing, onOverflow, turn, stop } = createOutgoing();
    stop();
    for (let count = 0; count < limits.sendQueueFramesMax; count++) {
      outgoing.push(frame(10));
      turn();
    }
    expect(onOverflow).not.toHaveBeenCalled();
    outgoing.push(frame(10));
    turn();
    expect(onOverflow).toHaveBeenCalledTimes(1);
  });

  test("after reading up, the count starts anew", () => {
    const { outgoing, onOverflow, turn, stop, read } = createOutgoing();
    for (let round = 0; round < 3; round++) {
      stop();
      for (let count = 0; count < limits.sendQueueFramesMax; count++) {
        outgoing.push(frame(10));
        turn();
      }
      read();
    }
    expect(onOverflow).not.toHaveBeenCalled();
  });

  test("pages wait for one another, go behind what was pushed before, and do not count", async () => {
    const { outgoing, onOverflow, turn, stop, read, taken } = createOutgoing();
    stop();
    outgoing.push(Buffer.from("before"));
    const encoded: string[] = [];
    const page = (name: string) =>
      outgoing.page(() => {
        encoded.push(name);
        return Buffer.alloc(limits.pageBytesMax, name);
      });
    const pages = [page("1"), page("2"), page("3")];
    outgoing.push(Buffer.from("after"));
    turn();
    expect(encoded).toEqual(["1"]);
    expect(outgoing.queueBytes).toBeLessThan(100);
    expect(outgoing.pageWaitsSinceMs).toBe(7);
    read();
    await Promise.all(pages);
    expect(encoded).toEqual(["1", "2", "3"]);
    expect(onOverflow).not.toHaveBeenCalled();
    expect(outgoing.pageWaitsSinceMs).toBeUndefined();
    expect(
      Buffer.concat(taken)
        .toString()
        .replaceAll(/(\d)\1+/g, "$1"),
    ).toBe("before1after23");
  });

  test("pages end when the socket does", async () => {
    const { outgoing, stop, socket } = createOutgoing();
    stop();
    const first = outgoing.page(() => frame(10));
    const second = outgoing.page(() => frame(10));
    socket.destroy();
    await Promise.all([first, second]);
    expect(outgoing.pageWaitsSinceMs).toBeUndefined();
  });
});
