import { Outbox, type OutboxOptions } from "./outbox.ts";

/** Processes that are sent to; far more than a cluster has. */
const peersMax = 1_024;

/** node and epoch of a claim `node:epoch`, or of one that goes on with `:connection`. */
export function parseClaim(claim: string): { readonly node: string; readonly epoch: string } {
  const [node = "", epoch = ""] = claim.split(":", 2);
  return { node, epoch };
}

/** connection of `node:epoch:connection` */
export function connectionOf(owner: string): string {
  return owner.slice(owner.indexOf(":", owner.indexOf(":") + 1) + 1);
}

/**
 * The other server processes, as far as this one knows, each with what waits for it.
 *
 * Numbers belong to a pair of epochs. Where a numbering begins anew and the one before it still owed something, the new
 * one begins with a number that is missing: else nobody would ever miss what was dropped.
 */
export class Peers {
  readonly #options: Omit<OutboxOptions, "node" | "epoch" | "own">;
  readonly #outboxes = new Map<string, Outbox>();
  #own: OutboxOptions["own"];
  /** Entries dropped of processes that are gone, and of those that did not fit. */
  #droppedBefore = 0;
  /** Something was dropped that may have been for a process which was not met yet. */
  #owesStrangers = false;

  constructor(own: OutboxOptions["own"], options: Omit<OutboxOptions, "node" | "epoch" | "own">) {
    this.#own = own;
    this.#options = options;
  }

  get dropped(): number {
    return [...this.#outboxes.values()].reduce((sum, outbox) => sum + outbox.dropped, this.#droppedBefore);
  }

  /** A connection of that process was found. Its epoch matters only if the process is new here. */
  find(claim: string): Outbox | undefined {
    const { node, epoch } = parseClaim(claim);
    if (node === this.#own.node) return undefined;
    return this.#outboxes.get(node) ?? this.#open(node, epoch);
  }

  /** That process lives and has this epoch. Answers its outbox when it is a new one. */
  meet(node: string, epoch: string): Outbox | undefined {
    const before = this.#outboxes.get(node);
    if (node === this.#own.node || before?.epoch === epoch) return undefined;
    this.#close(node);
    const outbox = this.#open(node, epoch);
    if (before?.owes === true) outbox?.skip();
    return outbox;
  }

  /** Every process that lives was met by now. */
  metAll(): void {
    this.#owesStrangers = false;
  }

  /** Only these live. */
  keep(nodes: ReadonlySet<string>): void {
    for (const node of this.#outboxes.keys()) if (!nodes.has(node)) this.#close(node);
  }

  /** This process has a new epoch: its numbering begins again. */
  restart(own: OutboxOptions["own"]): void {
    this.#own = own;
    const known = [...this.#outboxes.values()];
    for (const { node, epoch, owes } of known) {
      this.#close(node);
      const outbox = this.#open(node, epoch);
      if (owes) outbox?.skip();
    }
  }

  /** Something was dropped before it was known for whom. */
  skipAll(): void {
    this.#droppedBefore++;
    this.#owesStrangers = true;
    for (const outbox of this.#outboxes.values()) outbox.skip();
  }

  all(): Iterable<Outbox> {
    return this.#outboxes.values();
  }

  #open(node: string, epoch: string): Outbox | undefined {
    if (this.#outboxes.size >= peersMax) {
      this.#droppedBefore++;
      return undefined;
    }
    const outbox = new Outbox({ ...this.#options, own: this.#own, node, epoch });
    this.#outboxes.set(node, outbox);
    if (this.#owesStrangers) outbox.skip();
    return outbox;
  }

  #close(node: string): void {
    this.#droppedBefore += this.#outboxes.get(node)?.dropped ?? 0;
    this.#outboxes.delete(node);
  }
}
