import type { FanOutJob } from "../ports/fan-out-queue.ts";

interface Run {
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** (conversation, chunk) pairs that are remembered; a forgotten one costs a repetition. */
const entriesMax = 8_192;

/**
 * What this process has listed and pushed, so that a job whose rows went along with an earlier one is only committed.
 * Entered after the effects, never before.
 */
export class ServedRows {
  readonly #runs = new Map<string, Run>();

  /** What of the job is left to do; undefined = nothing. */
  restOf<Job extends FanOutJob>(job: Job): Job | undefined {
    const run = this.#runs.get(keyOf(job));
    if (run === undefined || run.fromSeq > job.fromSeq || run.toSeq < job.fromSeq) return job;
    return run.toSeq >= job.toSeq ? undefined : { ...job, fromSeq: run.toSeq + 1 };
  }

  add(job: FanOutJob): void {
    const key = keyOf(job);
    const known = this.#runs.get(key);
    this.#runs.delete(key);
    const continues = known !== undefined && job.fromSeq <= known.toSeq + 1 && job.toSeq >= known.fromSeq - 1;
    const fromSeq = continues ? Math.min(known.fromSeq, job.fromSeq) : job.fromSeq;
    const toSeq = continues ? Math.max(known.toSeq, job.toSeq) : job.toSeq;
    this.#runs.set(key, { fromSeq, toSeq });
    if (this.#runs.size > entriesMax) this.#runs.delete(this.#runs.keys().next().value as string);
  }
}

function keyOf({ conversationId, chunk }: FanOutJob): string {
  return `${conversationId}/${chunk}`;
}
