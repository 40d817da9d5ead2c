import type { Progress } from "../report/progress.ts";

/** Whom a run tells how it goes. */
export interface BenchReporter {
  /** What happens now, before and after the load. Replaces the one before on a terminal. */
  stage(text: string): void;
  /** Once a second under load. */
  progress(progress: Progress): void;
  warn(text: string): void;
  /** Worth knowing when all is over. */
  note(text: string): void;
}

/** A signal came before there was anything to report. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}
