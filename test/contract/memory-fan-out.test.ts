import { systemClock } from "../../src/base/clock.ts";
import { MemoryFanOutQueue } from "../helpers/core-ports/memory-fan-out-queue.ts";
import { fairWeather } from "../helpers/core-ports/weather.ts";
import { describeFanOutQueue } from "./fan-out-queue.contract.ts";

// A clock whose pauses are short: nothing here is about how long they are.
const clock = { ...systemClock, schedule: (_delayMs: number, run: () => void) => systemClock.schedule(5, run) };

describeFanOutQueue("memory", async () => {
  const store = new MemoryFanOutQueue(fairWeather(), clock);
  return {
    store,
    async reopen() {
      store.disconnectAll();
      return store;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});
