import type { Clock } from "../../src/base/clock.ts";
import type { CorePorts } from "../../src/core/api.ts";
import type { Bus } from "../../src/core/ports/bus.ts";
import type { FanOutQueue } from "../../src/core/ports/fan-out-queue.ts";
import type { MemoryFanOutQueue } from "../helpers/core-ports/memory-fan-out-queue.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Stores } from "./stores.ts";
import type { Witness } from "./witness.ts";

/** What a process is, as far as its ports have to know. */
export interface Process {
  /** Runs code of the process, if and when it runs. */
  enter(run: () => void): void;
  isRunning(): boolean;
}

interface PortsParts {
  readonly process: Process;
  readonly stores: Stores;
  readonly scheduler: Scheduler;
  readonly witness: Witness;
  readonly bus: Bus;
  readonly clock: Clock;
}

/** The stores as one process sees them: an answer arrives only while the process runs; the witness sees what it writes. */
export function createNodePorts({ process, stores, scheduler, witness, bus, clock }: PortsParts): CorePorts {
  const gated = <P extends object>(port: P): P => gate(port, process, scheduler);
  return {
    log: watch(gated(stores.log), "append", (request) => witness.appends(request)),
    lists: watch(gated(stores.lists), "write", (writes) => witness.lists(writes)),
    receipts: watch(gated(stores.receipts), "write", (writes) => witness.confirms(writes)),
    groups: gated(stores.groups),
    users: gated(stores.users),
    relations: gated(stores.relations),
    settings: gated(stores.settings),
    media: gated(stores.media),
    fanOut: gateQueue(stores.fanOut, process, scheduler),
    bus,
    clock,
    random: scheduler.random,
  };
}

function gateQueue(queue: MemoryFanOutQueue, process: Process, scheduler: Scheduler): FanOutQueue {
  const gated = gate(queue, process, scheduler);
  return {
    membersMax: queue.membersMax,
    ready: () => gated.ready(),
    enqueue: (jobs) => gated.enqueue(jobs),
    lag: () => gated.lag(),
    consume: (handle) =>
      queue.consumeAs(
        (jobs) => new Promise((resolve, reject) => process.enter(() => void handle(jobs).then(resolve, reject))),
        () => process.isRunning(),
      ),
  };
}

function gate<P extends object>(port: P, process: Process, scheduler: Scheduler): P {
  const methods = new Map<string | symbol, unknown>();
  const answered = <T>(name: string, answer: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      answer.then(
        (value) => {
          scheduler.mark(name, 1);
          process.enter(() => resolve(value));
        },
        (error: unknown) => process.enter(() => reject(error)),
      );
    });
  return new Proxy(port, {
    get: (target, key): unknown => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      let method = methods.get(key);
      if (method === undefined) {
        const call = value as (...args: unknown[]) => Promise<unknown>;
        method = (...args: unknown[]) => answered(String(key), call.apply(target, args));
        methods.set(key, method);
      }
      return method;
    },
  });
}

/** The port with somebody looking at the calls of one of its methods. */
function watch<P extends object, K extends keyof P>(
  port: P,
  method: K,
  look: P[K] extends (argument: infer A) => unknown ? (argument: A) => void : never,
): P {
  const call = port[method] as (argument: unknown) => unknown;
  const seen = (argument: unknown): unknown => {
    (look as (argument: unknown) => void)(argument);
    return call(argument);
  };
  return new Proxy(port, { get: (target, key): unknown => (key === method ? seen : Reflect.get(target, key)) });
}
