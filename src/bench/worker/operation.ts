/** One operation under way. Times in ms since t0. */
export interface OperationHost {
  nowMs(): number;
  ended(operation: Operation, endMs: number, error: string | undefined): void;
  withdrawn(operation: Operation): void;
}

export class Operation {
  readonly workload: number;
  readonly user: number;
  /** With the seed and the user it determines the operation's data. */
  readonly n: number;
  readonly intendedMs: number;
  readonly #host: OperationHost;
  /** Time that the operation spends away on purpose, between its intended start and what is measured. */
  pauseMs = 0;
  startMs: number;
  isOver = false;

  constructor(host: OperationHost, workload: number, user: number, n: number, intendedMs: number) {
    this.#host = host;
    this.workload = workload;
    this.user = user;
    this.n = n;
    this.intendedMs = intendedMs;
    this.startMs = host.nowMs();
  }

  /** The pause is over, what is measured begins now. */
  begin(pauseMs: number): void {
    this.pauseMs = pauseMs;
    this.startMs = this.#host.nowMs();
  }

  /** `error`: why it failed, a short code; undefined = it succeeded. Only the first call counts. */
  end(error?: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#host.ended(this, this.#host.nowMs(), error);
  }

  /** The device was sent away by another workload before it had its answer: neither done nor failed, and not asked for. */
  withdraw(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#host.withdrawn(this);
  }
}
