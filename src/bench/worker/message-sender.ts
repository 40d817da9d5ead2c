import { assert } from "../../base/assert.ts";
import type { Random } from "../../base/random.ts";
import { kinds } from "../../protocol/kinds.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import type { Directory } from "../data/directory.ts";
import type { PayloadPool } from "../data/payload.ts";
import type { Population } from "../data/population.ts";
import { messageKey } from "../ledger/message-key.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Fleet } from "./fleet.ts";
import type { Slots } from "./slots.ts";

/** Sends messages that the ledger knows: each is numbered within (sender, conversation) and followed until its answer. */
export interface MessageSenderParts {
  readonly run: number;
  readonly population: Population;
  readonly directory: Directory;
  readonly slots: Slots;
  readonly pool: PayloadPool;
  readonly recorder: LedgerRecorder;
  readonly random: Random;
  /** Monotonic, shared by all workers. */
  readonly nowMs: () => number;
  readonly fleet: () => Fleet;
}

export interface SendRequest {
  readonly slot: number;
  readonly conversation: number;
  readonly textBytes: number;
  /** µs since t0, −1 before the load. */
  readonly intendedUs: number;
  readonly workload: number;
  /** Called once, with the error code unless it was acked. */
  readonly settled: (error: string | undefined) => void;
}

interface Pending {
  readonly handle: number;
  readonly settled: (error: string | undefined) => void;
}

export class MessageSender {
  readonly #parts: MessageSenderParts;
  readonly #pending = new Map<Uuid, Pending>();

  constructor(parts: MessageSenderParts) {
    this.#parts = parts;
  }

  /** Sent and neither acked nor refused. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  send(request: SendRequest): void {
    const { run, slots, pool, recorder, random, nowMs, fleet } = this.#parts;
    const { slot, conversation, intendedUs, workload } = request;
    const sender = slots.deviceOf(slot);
    const n = recorder.nextN(sender, conversation);
    const header = { run, sender, conversation, n, intendedUs, workload, server: fleet().serverOf(slot) };
    const envelope = pool.envelope(header, request.textBytes);
    const createdAt = Date.now();
    const messageId = createUuidV7(createdAt, random);
    const handle = recorder.sent(sender, conversation, messageKey(messageId), nowMs());
    assert(!this.#pending.has(messageId), "a new message id");
    this.#pending.set(messageId, { handle, settled: request.settled });
    const message = { messageId, to: this.#recipient(slot, conversation), kind: kinds.text, envelope, createdAt };
    if (fleet().sendMessage(slot, message)) return;
    recorder.refused(handle);
    this.#settle(messageId, "outbox_full");
  }

  acked(messageId: Uuid, seq: number): void {
    const pending = this.#pending.get(messageId);
    if (pending === undefined) return;
    this.#parts.recorder.acked(pending.handle, seq, this.#parts.nowMs());
    this.#settle(messageId, undefined);
  }

  /** `failed`: it is not in the log. `unknown`: nobody can say. */
  failed(messageId: Uuid, state: "unknown" | "failed", code: string): void {
    const pending = this.#pending.get(messageId);
    if (pending === undefined) return;
    if (state === "failed") this.#parts.recorder.refused(pending.handle);
    this.#settle(messageId, code);
  }

  #settle(messageId: Uuid, error: string | undefined): void {
    const pending = this.#pending.get(messageId);
    this.#pending.delete(messageId);
    pending?.settled(error);
  }

  #recipient(slot: number, conversation: number): { readonly user: Uuid } | { readonly conversation: Uuid } {
    const { population, directory, slots } = this.#parts;
    if (!population.isDirect(conversation)) return { conversation: directory.conversationId(conversation) };
    const [one, other] = population.directPeers(conversation);
    return { user: directory.userId(slots.userOf(slot) === one ? other : one) };
  }
}
