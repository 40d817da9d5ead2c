import { struckServers } from "../faults/struck-servers.ts";
import type { Bystanders } from "../stats/bystanders.ts";
import type { ServerWorkerSetup } from "./messages.ts";
import { firstServerOf, Slots } from "./slots.ts";
import type { Population } from "../data/population.ts";

/** Told of every delivery; keeps those between devices that began at servers which no fault strikes (stats/bystanders.ts). */
export type NoteDelivery = (sender: number, slot: number, intendedMs: number, atMs: number) => void;

/** Undefined: no server is struck, or all of them are. */
export function createBystanderWatch(
  { scenario, share, urls }: ServerWorkerSetup,
  population: Population,
  bystanders: Bystanders,
): NoteDelivery | undefined {
  const struck = struckServers(scenario);
  if (struck.size === 0 || struck.size >= urls.length) return undefined;
  const slotsOf = Array.from({ length: share.count }, (_, index) => new Slots(population, { ...share, index }));
  const isStruck = (slot: number): boolean => struck.has(firstServerOf(slot, urls.length));
  return (sender, slot, intendedMs, atMs) => {
    const user = population.userOfDevice(sender);
    const first = (slotsOf[user % share.count] as Slots).firstOf(user);
    const senderSlot = first + (sender % population.devicesPerUser);
    if (!isStruck(slot) && !isStruck(senderSlot)) bystanders.record(intendedMs, atMs);
  };
}
