import type { Population } from "../data/population.ts";
import type { Scenario } from "../scenario/schema.ts";
import type { Fleet } from "./fleet.ts";
import type { MessageSender } from "./message-sender.ts";
import type { Slots } from "./slots.ts";

/**
 * Before the load: everybody connects at the scenario's rate, then conversations get their history by the same road as any
 * message. Both are steps that the worker's pulse calls until they are done.
 */
export interface Step {
  /** True when it is over. */
  advance(nowMs: number): boolean;
}

const greetingsMax = 512;

export interface ConnectStepOptions {
  readonly fleet: Fleet;
  /** Slots [from, to) connect. */
  readonly from: number;
  readonly to: number;
  /** Of this worker. */
  readonly ratePerSecond: number;
  readonly syncedCount: () => number;
  readonly startMs: number;
}

/** Over when the devices up to `to` are connected and have synced once. */
export function createConnectStep({ fleet, from, to, ratePerSecond, syncedCount, startMs }: ConnectStepOptions): Step {
  let next = from;
  return {
    advance(nowMs) {
      const due = Math.min(to, from + Math.ceil(((nowMs - startMs) / 1_000) * ratePerSecond));
      while (next < due && next - fleet.readyCount < greetingsMax) fleet.start(next++);
      return next === to && syncedCount() >= to;
    },
  };
}

const historyInFlightMax = 256;
const historyTextBytes = 200;

/** Messages of one conversation come from its members in turn; each worker writes those of its own users. */
export function createHistoryStep(
  scenario: Scenario,
  population: Population,
  slots: Slots,
  sender: MessageSender,
  written: () => void,
): Step {
  const messages = historyMessages(scenario, population, slots);
  let current = messages.next();
  return {
    advance() {
      while (current.done !== true && sender.pendingCount < historyInFlightMax) {
        const { slot, conversation } = current.value;
        sender.send({
          slot,
          conversation,
          textBytes: historyTextBytes,
          intendedUs: -1,
          workload: -1,
          settled: (error) => {
            if (error !== undefined) throw new Error(`a message of the history was refused: ${error}`);
            written();
          },
        });
        current = messages.next();
      }
      return current.done === true && sender.pendingCount === 0;
    },
  };
}

/** Round by round, so that neighbouring messages are of different conversations and nothing waits for a turn. */
function* historyMessages(
  scenario: Scenario,
  population: Population,
  slots: Slots,
): Generator<{ readonly slot: number; readonly conversation: number }> {
  const lengths = [scenario.population.history, ...scenario.population.groups.map((group) => group.history)];
  const lengthOf = (conversation: number): number => {
    if (population.isDirect(conversation)) return scenario.population.history;
    const members = population.groupSize(conversation - population.directCount);
    return scenario.population.groups.find((group) => group.members === members)?.history ?? 0;
  };
  for (let round = 0; round < Math.max(...lengths); round++) {
    for (let conversation = 0; conversation < population.conversationCount; conversation++) {
      if (round >= lengthOf(conversation)) continue;
      const user = writerOf(population, conversation, round);
      if (slots.ownsUser(user)) yield { slot: slots.firstOf(user), conversation };
    }
  }
}

function writerOf(population: Population, conversation: number, round: number): number {
  if (population.isDirect(conversation)) return population.directPeers(conversation)[round % 2] as number;
  const group = conversation - population.directCount;
  return population.groupMember(group, round % population.groupSize(group));
}
