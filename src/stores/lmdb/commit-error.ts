/** Why a commit failed. `full`: nothing was written. `broken`: it is not known what was written. */
export interface CommitError {
  readonly kind: "full" | "broken";
  readonly cause: unknown;
}

const fullPattern = /No space left|quota exceeded|File too large|MDB_MAP_FULL/i;

/** The driver rejects with a general error whose `commitError` is a promise of the true one. */
export async function commitError(error: unknown): Promise<CommitError> {
  const cause = await innerError(error);
  const message = cause instanceof Error ? cause.message : String(cause);
  return { kind: fullPattern.test(message) ? "full" : "broken", cause };
}

async function innerError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    return await error.commitError;
  } catch (inner) {
    return inner;
  }
}
