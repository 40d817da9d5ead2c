import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";

/** Connections whose body may take longer than the time that a request has, since somebody else watches it. */
const watched = new WeakSet<object>();

export function isWatched(socket: object): boolean {
  return watched.has(socket);
}

/** Less than this in mediaStallTimeoutMs counts as nothing: a trickle must not hold a place for ever. */
const progressBytesMin = 64 * 1024;

/**
 * Ends the connection of an upload or a download that does not get on. A large body on a thin line takes minutes, so that
 * the time of a whole request says nothing about it. Answers how to stop watching.
 */
export function watchProgress(clock: Pick<Clock, "schedule">, socket: Socket): () => void {
  watched.add(socket);
  let bytes = socket.bytesRead + socket.bytesWritten;
  let timer: Timer;
  const look = (): void => {
    const now = socket.bytesRead + socket.bytesWritten;
    if (now - bytes < progressBytesMin) {
      socket.destroy();
      return;
    }
    bytes = now;
    timer = clock.schedule(limits.mediaStallTimeoutMs, look);
  };
  timer = clock.schedule(limits.mediaStallTimeoutMs, look);
  return () => {
    timer.cancel();
    watched.delete(socket);
  };
}
