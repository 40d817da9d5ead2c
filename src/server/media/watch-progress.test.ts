import type { Socket } from "node:net";
import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { limits } from "../../protocol/limits.ts";
import { isWatched, watchProgress } from "./watch-progress.ts";

const socket = { bytesRead: 0, bytesWritten: 0, destroyed: false, destroy: () => void (socket.destroyed = true) };
const watch = (clock: ManualClock): (() => void) => watchProgress(clock, socket as unknown as Socket);

beforeEach(() => Object.assign(socket, { bytesRead: 0, bytesWritten: 0, destroyed: false }));

test("a connection that gets on is left alone for as long as it takes, up or down", () => {
  const clock = new ManualClock();
  const stop = watch(clock);
  for (let minute = 0; minute < 60; minute++) {
    if (minute % 2 === 0) socket.bytesRead += 64 * 1024;
    else socket.bytesWritten += 64 * 1024;
    clock.advance(limits.mediaStallTimeoutMs);
    expect([socket.destroyed, isWatched(socket)]).toEqual([false, true]);
  }
  stop();
  clock.advance(10 * limits.mediaStallTimeoutMs);
  expect([socket.destroyed, isWatched(socket)]).toEqual([false, false]);
});

test("one that stands still, or trickles, is ended", () => {
  const clock = new ManualClock();
  watch(clock);
  socket.bytesRead += 64 * 1024;
  clock.advance(limits.mediaStallTimeoutMs);
  socket.bytesRead += 1_000;
  clock.advance(limits.mediaStallTimeoutMs - 1);
  expect(socket.destroyed).toBe(false);
  clock.advance(1);
  expect(socket.destroyed).toBe(true);
});
