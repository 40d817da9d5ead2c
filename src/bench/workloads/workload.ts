import type { PageRow } from "../../protocol/fields.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { ConnectionState } from "../../client/machine/types.ts";
import { mixBelow, seedFor } from "../data/mix.ts";
import type { Directory } from "../data/directory.ts";
import type { Population } from "../data/population.ts";
import type { Targets } from "../data/targets.ts";
import type { Fleet } from "../worker/fleet.ts";
import type { MessageSender } from "../worker/message-sender.ts";
import type { Operation } from "../worker/operation.ts";
import type { Slots } from "../worker/slots.ts";

/**
 * What one workload does when an operation is due. `begin` is called for users of this worker; it answers false when there
 * is nothing to do (the user is away, nothing is unread), and otherwise sees to it that the operation ends once. The other
 * methods hear what happens on any device.
 */
export interface WorkloadRunner {
  begin(operation: Operation): boolean;
  /** True: the frame is the workload's own and not for the machine. */
  takes?(slot: number, frame: ServerFrame): boolean;
  rows?(slot: number, conversation: number, rows: readonly PageRow[]): void;
  registers?(slot: number, conversation: number): void;
  connection?(slot: number, state: ConnectionState, code: number | undefined): void;
  synced?(slot: number): void;
  /** Every millisecond or so. */
  poll?(): void;
  /** Gives up what is under way outside of the fleet. */
  close?(): void;
}

/** What workloads work with. */
export interface WorkloadContext {
  readonly seed: number;
  readonly population: Population;
  readonly directory: Directory;
  readonly slots: Slots;
  readonly targets: Targets;
  readonly sender: MessageSender;
  readonly fleet: Fleet;
  /** Direct conversations and groups of an own user. */
  conversationsOf(user: number): readonly number[];
}

/** The device that acts in an operation: one at random among those for which `can` holds; −1 when there is none. */
export function pickSlot(context: WorkloadContext, operation: Operation, can: (slot: number) => boolean): number {
  const { devicesPerUser } = context.population;
  const first = context.slots.firstOf(operation.user);
  const start = mixBelow(seedFor(context.seed, "devices"), operation.user, operation.n, devicesPerUser);
  for (let step = 0; step < devicesPerUser; step++) {
    const slot = first + ((start + step) % devicesPerUser);
    if (can(slot)) return slot;
  }
  return -1;
}
