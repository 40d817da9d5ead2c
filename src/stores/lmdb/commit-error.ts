import { constants } from "node:os";

/** Why a commit failed. `full`: nothing was written. `broken`: it is not known what was written. */
export interface CommitError {
  readonly kind: "full" | "broken";
  readonly cause: unknown;
}

const { ENOSPC, EDQUOT, EFBIG } = constants.errno;
const fullCodes: readonly unknown[] = [ENOSPC, EDQUOT, EFBIG];

/** The driver rejects with a general error whose `commitError` is a promise of the true one, with the system's number. */
export async function commitError(error: unknown): Promise<CommitError> {
  const cause = await innerError(error);
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return { kind: fullCodes.includes(code) ? "full" : "broken", cause };
}

async function innerError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    return await error.commitError;
  } catch (inner) {
    return inner;
  }
}
