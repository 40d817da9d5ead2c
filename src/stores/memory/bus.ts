import { assert } from "../../base/assert.ts";
import type { Bus } from "../../core/ports/bus.ts";

const always = { sinceMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/**
 * The bus of a server that is alone: what is delivered reaches the own receiver at once, in the caller's turn. Nothing is
 * queued, so there is nothing to bound; what comes before the receiver subscribed is lost, as the port allows.
 *
 * @param onError told of what the receiver threw; must not throw itself. The sender of a delivery never sees it.
 */
export function createMemoryBus(onError: (error: unknown) => void): Bus {
  let receiver: Parameters<Bus["subscribe"]>[0] | undefined;
  return {
    deliver(delivery) {
      try {
        receiver?.deliver(delivery);
      } catch (error) {
        onError(error);
      }
    },
    announce(notice) {
      try {
        receiver?.notice(notice);
      } catch (error) {
        onError(error);
      }
      return Promise.resolve(true);
    },
    hearing: () => always,
    subscribe(subscriber) {
      assert(receiver === undefined, "a bus has one receiver");
      receiver = subscriber;
    },
  };
}
