import { WireError } from "../../protocol/wire-errors.ts";

const fullCodes: readonly unknown[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/** The system's word for what went wrong (`ENOENT`), if the error is one of the system. */
export function systemCode(error: unknown): string | undefined {
  const isSystem = error instanceof Error && "syscall" in error && "code" in error;
  return isSystem && typeof error.code === "string" ? error.code : undefined;
}

/** What a failed file operation means to a client; anything that is no error of the system stays as it is. */
export function toWireError(error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  return new WireError(fullCodes.includes(code) ? "storage_full" : "store_unavailable", { cause: error });
}

/** What `work` resolves to; rejects with WireError for what the system refused. */
export async function orWireError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toWireError(error);
  }
}
