import type { DeviceMachine } from "../../client/machine/machine.ts";
import type { Directory } from "../data/directory.ts";
import type { Population } from "../data/population.ts";
import { uint32Column } from "../ledger/columns.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Slots } from "./slots.ts";

/**
 * What the run still owes the devices of one worker while it drains: the rows that were acked, to a sender of this worker or
 * of another. Seqs have no gaps and a device knows its holes, so the highest seq that was acked in each conversation is all
 * that has to be compared, and all that workers tell each other.
 */
export interface OwedRowsParts {
  readonly population: Pick<Population, "conversationCount" | "devicesPerUser" | "membersOf">;
  readonly slots: Pick<Slots, "ownsUser" | "firstOf">;
  readonly directory: Pick<Directory, "conversationId">;
  readonly recorder: Pick<LedgerRecorder, "ackedSeq">;
  readonly fleet: {
    machine(slot: number): Pick<DeviceMachine, "conversation" | "connectionState">;
    isAway(slot: number): boolean;
  };
}

export class OwedRows {
  readonly #parts: OwedRowsParts;
  readonly #told = uint32Column();
  /** By conversation, of all workers. */
  readonly #owedSeq = uint32Column();
  #version = 0;

  constructor(parts: OwedRowsParts) {
    this.#parts = parts;
  }

  /** What was heard of last; 0 = nothing yet. */
  get version(): number {
    return this.#version;
  }

  /** Conversation and highest acked seq in turn, of those in which it has grown since the last call. */
  news(): Uint32Array {
    const pairs: number[] = [];
    for (let conversation = 0; conversation < this.#parts.population.conversationCount; conversation++) {
      const seq = this.#parts.recorder.ackedSeq(conversation);
      if (seq <= this.#told.get(conversation)) continue;
      this.#told.set(conversation, seq);
      this.#raise(conversation, seq);
      pairs.push(conversation, seq);
    }
    return Uint32Array.from(pairs);
  }

  /** The news of all workers so far; those of this one change nothing. */
  hear(pairs: Uint32Array, version: number): void {
    for (let at = 0; at < pairs.length; at += 2) this.#raise(pairs[at] as number, pairs[at + 1] as number);
    this.#version = version;
  }

  /** Whether some device lacks one of them. Those that are away, or have ended, are not asked. */
  lacks(): boolean {
    const { population, slots } = this.#parts;
    for (let conversation = 0; conversation < population.conversationCount; conversation++) {
      const owedSeq = this.#owedSeq.get(conversation);
      if (owedSeq === 0) continue;
      for (const user of population.membersOf(conversation)) {
        if (!slots.ownsUser(user)) continue;
        const first = slots.firstOf(user);
        for (let slot = first; slot < first + population.devicesPerUser; slot++) {
          if (this.#lacks(slot, conversation, owedSeq)) return true;
        }
      }
    }
    return false;
  }

  #lacks(slot: number, conversation: number, owedSeq: number): boolean {
    const { fleet, directory } = this.#parts;
    const device = fleet.machine(slot);
    if (fleet.isAway(slot) || device.connectionState === "stopped") return false;
    const view = device.conversation(directory.conversationId(conversation));
    return view === undefined || view.head < owedSeq || view.filling;
  }

  #raise(conversation: number, seq: number): void {
    if (seq > this.#owedSeq.get(conversation)) this.#owedSeq.set(conversation, seq);
  }
}
