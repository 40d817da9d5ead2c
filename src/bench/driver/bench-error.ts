/** Why a run could not be made; what it measured is worth nothing then. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  /** `unreachable`: a server that was to be there is not. `usage`: the request contradicts itself. `failed`: the rest. */
  readonly reason: "unreachable" | "usage" | "failed";
  readonly fix: string | undefined;

  constructor(reason: "unreachable" | "usage" | "failed", message: string, fix?: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.fix = fix;
  }
}
