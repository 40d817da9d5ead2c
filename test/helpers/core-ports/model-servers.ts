import { randomBelow, type Random } from "../../../src/base/random.ts";
import type { MemoryWorld } from "./core-ports.ts";
import { createDeliveryCore } from "./delivery-core.ts";
import type { ModelServer } from "./model-sender.ts";
import { mortalPorts } from "./mortal-ports.ts";

/** Two processes on one set of stores; one that dies is replaced, with nothing in its memory. */
export class ModelServers {
  readonly #start: () => ModelServer & { kill(): void };
  readonly #random: Random;
  readonly #servers: (ModelServer & { kill(): void })[];

  /** `cacheTtlMs`: as of LanesOptions. `deaf`: notices are lost. */
  constructor(world: MemoryWorld, random: Random, options: { cacheTtlMs?: number; deaf?: boolean } = {}) {
    this.#random = random;
    this.#start = () => {
      const { ports, death, kill } = mortalPorts(world.ports());
      return { core: createDeliveryCore(world, { ...options, ports }), death, kill };
    };
    this.#servers = [this.#start(), this.#start()];
  }

  connect(): ModelServer {
    return this.#servers[randomBelow(this.#random, this.#servers.length)] ?? this.#start();
  }

  kill(): void {
    const index = randomBelow(this.#random, this.#servers.length);
    this.#servers[index]?.kill();
    this.#servers[index] = this.#start();
  }
}
