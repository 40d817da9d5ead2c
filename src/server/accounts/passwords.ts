import { BoundedQueue } from "../../base/bounded-queue.ts";
import type { Random } from "../../base/random.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import {
  digestBytes,
  hashPassword,
  isMadeBy,
  passwordAlgorithm,
  passwordCost,
  saltBytes,
  unmatchableHash,
  verifyPassword,
  type PasswordCost,
} from "./password-hash.ts";

/**
 * Hashing for a whole server process. A hash takes tens of milliseconds of a core and tens of MiB, so only a few run at
 * once, a bounded number waits in order, and the rest is refused as `overloaded`: a crowd at the login must not take the
 * memory or the threads (shared with the disk) from those who are already in.
 */
export interface Passwords {
  /** Encoded hash with a fresh salt. Rejects with WireError `overloaded`. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password made the hash. Undefined (no such account, or one without a password) does the work of a current
   * hash and answers false, so that the time taken tells nothing. Only an account that has not logged in since algorithm
   * or cost changed (a data folder that came from an older Node, say) takes another time, and shows by it that it exists.
   * Rejects with WireError `overloaded`.
   */
  verify(password: string, encoded: string | undefined): Promise<boolean>;
  /** Whether `hash` would still make it that way; otherwise it should be made anew when the password is at hand. */
  isCurrent(encoded: string): boolean;
}

export function createPasswords(options: {
  readonly random: Random;
  readonly atOnceMax?: number;
  readonly waitingMax?: number;
  /** For tests; production uses the default. */
  readonly cost?: PasswordCost;
}): Passwords {
  const { random, atOnceMax = limits.passwordHashesAtOnceMax, cost = passwordCost } = options;
  const waiting = new BoundedQueue<() => void>(options.waitingMax ?? limits.passwordHashesWaitingMax);
  const unmatchable = unmatchableHash(randomBytes(random, saltBytes + digestBytes), passwordAlgorithm, cost);
  let running = 0;

  const take = async (): Promise<void> => {
    if (running < atOnceMax) {
      running++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    if (!waiting.push(turn.resolve)) throw new WireError("overloaded", { retryAfterMs: 1_000 });
    await turn.promise;
  };
  /** Hands the place to the next in line, so that a newcomer cannot overtake it. */
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    await take();
    try {
      return await work();
    } finally {
      release();
    }
  };

  return {
    hash: (password) => inTurn(() => hashPassword(password, randomBytes(random, saltBytes), passwordAlgorithm, cost)),
    async verify(password, encoded) {
      const matches = await inTurn(() => verifyPassword(password, encoded ?? unmatchable));
      return matches && encoded !== undefined;
    },
    isCurrent: (encoded) => isMadeBy(encoded, passwordAlgorithm, cost),
  };
}

function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}
