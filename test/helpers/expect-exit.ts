import { expect } from "vitest";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Fails, with all that the process said, unless it ended with this exit code. `more`: to be said then as well. */
export function expectExit({ code, stdout, stderr }: Ended, expected: number, more = ""): void {
  // A matcher would show the difference only, which is one number.
  if (code !== expected) expect.fail(`exit ${code}, expected ${expected}\n${stdout}\n${stderr}\n${more}`);
}
