import type { Bus, Delivery, Hearing, Notice } from "../../../src/core/ports/bus.ts";
import { fairWeather, type Weather } from "./weather.ts";

/**
 * The wire between server processes: each core gets a bus of its own from `attach`, and every subscriber hears all of
 * them. Deliveries may be lost (see Weather), notices arrive at once.
 */
export class MemoryBusHub {
  weather: Weather;
  /** Everything that was delivered, in order; clear it between the steps of a test. */
  readonly deliveries: Delivery[] = [];
  readonly notices: Notice[] = [];
  /** What every bus says that it hears. */
  hearing: Hearing = { sinceMs: -Infinity, toMs: Infinity };
  readonly #receivers: { deliver(delivery: Delivery): void; notice(notice: Notice): void }[] = [];

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  attach(): Bus {
    return {
      deliver: (delivery) => {
        this.deliveries.push(delivery);
        for (const receiver of this.#receivers) if (!this.weather.losesDelivery()) receiver.deliver(delivery);
      },
      announce: (notice) => {
        this.notices.push(notice);
        for (const receiver of this.#receivers) receiver.notice(notice);
        return Promise.resolve(true);
      },
      hearing: () => this.hearing,
      subscribe: (receiver) => {
        this.#receivers.push(receiver);
      },
    };
  }
}
