/**
 * `unreachable`: a server or a store that was to be there is not. `finding`: a store is there and is not ready for use.
 * `usage`: the request contradicts itself. `configuration` and `locked`: as `msgr serve` means them. `failed`: the rest.
 */
export type BenchErrorReason = "unreachable" | "finding" | "usage" | "configuration" | "locked" | "failed";

/** Why a run could not be made; what it measured is worth nothing then. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  readonly reason: BenchErrorReason;
  readonly fix: string | undefined;

  constructor(reason: BenchErrorReason, message: string, fix?: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.fix = fix;
  }
}
