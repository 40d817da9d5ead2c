import { answered } from "./errors.ts";

/** The answers of a pipeline; the first error of any of its commands is the error of all. Errors: WireError. */
export async function pipelined(
  result: Promise<[error: Error | null, answer: unknown][] | null>,
): Promise<readonly unknown[]> {
  return answered(
    result.then((replies) =>
      (replies ?? []).map(([error, answer]) => {
        if (error !== null) throw error;
        return answer;
      }),
    ),
  );
}
