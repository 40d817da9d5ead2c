import { WireError } from "../../protocol/wire-errors.ts";

interface RunningWrite {
  readonly part: number;
  readonly controller: AbortController;
  /** Resolves when nothing of it is under way any more. */
  readonly ended: Promise<unknown>;
}

/**
 * Which objects are being written now, so that a client that comes back is not held up by its own broken connection, and
 * an object that is removed does not appear afterwards.
 */
export class RunningWrites {
  readonly #byName = new Map<string, Set<RunningWrite>>();
  readonly #writesMax: number;
  #count = 0;

  constructor(writesMax: number) {
    this.#writesMax = writesMax;
  }

  /** Runs `work`, and ends an earlier write of the same part. Errors: `overloaded`, `media_exists` (for the earlier). */
  async run<T>(name: string, part: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#count >= this.#writesMax) throw new WireError("overloaded", { retryAfterMs: 1_000 });
    const writes = this.#byName.get(name) ?? new Set<RunningWrite>();
    this.#byName.set(name, writes);
    for (const earlier of writes) if (earlier.part === part) earlier.controller.abort(superseded());
    const controller = new AbortController();
    const working = work(controller.signal);
    const write = { part, controller, ended: working.catch(() => undefined) };
    writes.add(write);
    this.#count++;
    try {
      return await working;
    } finally {
      this.#count--;
      writes.delete(write);
      if (writes.size === 0) this.#byName.delete(name);
    }
  }

  /** Ends every write of the object; resolves when they have ended. */
  async end(name: string): Promise<void> {
    const writes = [...(this.#byName.get(name) ?? [])];
    for (const { controller } of writes) controller.abort(superseded());
    await Promise.all(writes.map(({ ended }) => ended));
  }
}

function superseded(): WireError {
  return new WireError("media_exists", { detail: "another upload of the same part took its place, or it was removed" });
}
