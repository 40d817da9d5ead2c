import type { Operation } from "../worker/operation.ts";
import type { LoadRunner } from "../worker/load.ts";
import type { StoreLedger } from "../ledger/store-ledger.ts";

/**
 * What one workload does to a store, through one client. A user is a number of this worker: a conversation, a list row or
 * somebody who beats. Works of one worker may share what they prepare and check.
 */
export interface StoreWork {
  /** Writes what the operations need, before the load. */
  prepare?(): Promise<void>;
  /** Does operation `n` of an own user. Undefined: there was nothing to do. Rejects when it failed. */
  run(user: number, n: number): Promise<unknown> | undefined;
  /** After the drain: reads back what was acknowledged and enters what is wrong with it. */
  verify?(ledger: StoreLedger): Promise<void>;
}

/** Operations by promises. `settled` is called once for all that end in one turn. */
export class StoreRunner implements LoadRunner {
  readonly work: StoreWork;
  readonly #settled: () => void;
  #isTold = false;

  constructor(work: StoreWork, settled: () => void) {
    this.work = work;
    this.#settled = settled;
  }

  begin(operation: Operation): boolean {
    const done = this.work.run(operation.user, operation.n);
    if (done === undefined) return false;
    done.then(
      () => this.#end(operation, undefined),
      (error: unknown) => this.#end(operation, codeOf(error)),
    );
    return true;
  }

  #end(operation: Operation, error: string | undefined): void {
    operation.end(error);
    if (this.#isTold) return;
    this.#isTold = true;
    // After everything else that the same answer has settled.
    queueMicrotask(() => {
      this.#isTold = false;
      this.#settled();
    });
  }
}

/** Why an operation failed, for whoever reads the result; thrown by works themselves. */
export class WorkError extends Error {
  override readonly name = "WorkError";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A short word for the table of errors. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}
