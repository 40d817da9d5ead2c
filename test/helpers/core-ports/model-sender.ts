import { randomBelow, type Random } from "../../../src/base/random.ts";
import type { MessageDraft } from "../../../src/core/api.ts";
import { kinds } from "../../../src/protocol/kinds.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { WireError, type WireErrorCode } from "../../../src/protocol/wire-errors.ts";
import type { MemoryWorld } from "./core-ports.ts";
import type { DeliveryCore } from "./delivery-core.ts";

/** A server process as its clients see it: it may die, and then it answers nothing. */
export interface ModelServer {
  readonly core: DeliveryCore;
  readonly death: Promise<void>;
}

interface Entry {
  readonly messageId: Uuid;
  readonly n: number;
  /** Set before the first send, the same on every retry. */
  since: number | undefined;
  seq: number;
}

export interface SenderOptions {
  readonly world: MemoryWorld;
  readonly random: Random;
  readonly userId: Uuid;
  readonly device: number;
  readonly to: MessageDraft["to"];
  readonly conversationId: Uuid;
  readonly messages: number;
  /** Any server that lives now. */
  connect(): ModelServer;
  /** Errors for good that may happen here; such a message counts as discarded. */
  readonly accepts?: readonly WireErrorCode[];
}

/**
 * A device that sends as the client machine does: in order, several at a time, the same id and `since` on every retry. It
 * loses acks, walks away from connections that still work for it, and comes back through another server.
 */
export class ModelSender {
  readonly options: SenderOptions;
  readonly acked = new Map<Uuid, number>();
  readonly discarded = new Set<Uuid>();
  /** Sent on a connection that it walked away from: a server may still write them, whatever another one answers. */
  readonly abandoned = new Set<Uuid>();
  /** In the order they were written. */
  readonly messageIds: readonly Uuid[];
  #outbox: Entry[];

  constructor(options: SenderOptions) {
    this.options = options;
    this.#outbox = Array.from({ length: options.messages }, (_, n) => ({
      messageId: options.world.id(),
      n,
      since: undefined,
      seq: 0,
    }));
    this.messageIds = this.#outbox.map((entry) => entry.messageId);
  }

  async run(): Promise<void> {
    for (let connection = 0; this.#outbox.length > 0; connection++) {
      if (connection > connectionsMax) throw new Error("a sender makes no progress");
      await this.#connection(this.options.connect());
    }
  }

  async #connection(server: ModelServer): Promise<void> {
    const { random } = this.options;
    const gate = server.core.delivery.createGate();
    for (let wave = 0; wave < 1 + randomBelow(random, 4) && this.#outbox.length > 0; wave++) {
      const entries = this.#outbox.slice(0, 1 + randomBelow(random, 4));
      const { userId, device } = this.options;
      const answers = entries.map((entry) =>
        server.core.delivery.send({ userId, device }, gate, this.#draft(entry)).then(
          (sent) => this.#answered(entry, sent.seq),
          (error: unknown) => this.#failed(entry, error),
        ),
      );
      const all = Promise.all(answers);
      if (random.float() < 0.15) {
        // Gone, while the server still works on it. Its answers come too late.
        all.catch(() => undefined);
        for (const entry of entries) this.abandoned.add(entry.messageId);
        return;
      }
      await Promise.race([all, server.death]);
    }
  }

  #draft(entry: Entry): MessageDraft {
    const { world, random, to, conversationId } = this.options;
    const head = world.log.headOf(conversationId)?.head ?? 0;
    // Whatever the device had seen when the message was written: any head there was by then.
    entry.since ??= random.float() < 0.6 ? head : randomBelow(random, head + 1);
    const kind = random.float() < 0.8 ? kinds.text : kinds.reaction;
    return { to, messageId: entry.messageId, since: entry.since, kind, envelope: Uint8Array.of(entry.n) };
  }

  #answered(entry: Entry, seq: number): void {
    if (this.options.random.float() < 0.1) return;
    const known = this.acked.get(entry.messageId);
    if (known !== undefined && known !== seq) throw new Error(`${entry.messageId} has two seqs: ${known} and ${seq}`);
    this.acked.set(entry.messageId, seq);
    this.#outbox = this.#outbox.filter((other) => other !== entry);
  }

  #failed(entry: Entry, error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    if (error.temporary) return;
    if (this.options.accepts?.includes(error.code) !== true) throw error;
    if (this.acked.has(entry.messageId)) throw new Error(`${error.code} for a message that was acked`);
    this.discarded.add(entry.messageId);
    this.#outbox = this.#outbox.filter((other) => other !== entry);
  }
}

const connectionsMax = 500;
