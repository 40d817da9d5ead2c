import { Outbox, type OutboxOptions } from "./outbox.ts";

/** Processes that are sent to; far more than a cluster has. */
const peersMax = 1_024;

/** node and epoch of a claim `node:epoch`, or of one that goes on with `:connection`. */
export function parseClaim(claim: string): { readonly node: string; readonly epoch: string } {
  const [node = "", epoch = ""] = claim.split(":", 2);
  return { node, epoch };
}

/** The other server processes, as far as this one knows, each with what waits for it. */
export class Peers {
  readonly #options: Omit<OutboxOptions, "node" | "epoch" | "own">;
  readonly #outboxes = new Map<string, Outbox>();
  #own: OutboxOptions["own"];
  /** Entries dropped of processes that are gone, and of those that did not fit. */
  #droppedBefore = 0;

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
    if (node === this.#own.node || this.#outboxes.get(node)?.epoch === epoch) return undefined;
    this.#close(node);
    return this.#open(node, epoch);
  }

  /** Only these live. */
  keep(nodes: ReadonlySet<string>): void {
    for (const node of this.#outboxes.keys()) if (!nodes.has(node)) this.#close(node);
  }

  /** This process has a new epoch: its numbering begins again. */
  restart(own: OutboxOptions["own"]): void {
    this.#own = own;
    const known = [...this.#outboxes.values()];
    for (const { node, epoch } of known) {
      this.#close(node);
      this.#open(node, epoch);
    }
  }

  /** Something was dropped before it was known for whom. */
  skipAll(): void {
    this.#droppedBefore++;
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
    return outbox;
  }

  #close(node: string): void {
    this.#droppedBefore += this.#outboxes.get(node)?.dropped ?? 0;
    this.#outboxes.delete(node);
  }
}
