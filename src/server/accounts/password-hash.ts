import crypto from "node:crypto";
import { promisify } from "node:util";

/**
 * One-way hashes of passwords, encoded in the PHC string format (`$id$parameters$salt$hash`), so that each hash names the
 * algorithm and cost that made it and may be verified after the defaults have changed. Costs: OWASP Password Storage
 * Cheat Sheet (2025): argon2id 19 MiB × 2 passes, scrypt 32 MiB × 3.
 */
export interface PasswordCost {
  readonly argon2id: { readonly memoryKib: number; readonly passes: number; readonly lanes: number };
  readonly scrypt: { readonly logRounds: number; readonly blockSize: number; readonly lanes: number };
}

export const passwordCost: PasswordCost = {
  argon2id: { memoryKib: 19_456, passes: 2, lanes: 1 },
  scrypt: { logRounds: 15, blockSize: 8, lanes: 3 },
};

export type PasswordAlgorithm = keyof PasswordCost;

/** Node has argon2 since 24.7 (so it cannot be imported by name); before that, scrypt. */
export const passwordAlgorithm: PasswordAlgorithm = typeof crypto.argon2 === "function" ? "argon2id" : "scrypt";

export const saltBytes = 16;
export const digestBytes = 32;

/** Derives off the main thread. `salt` of `saltBytes`. */
export async function hashPassword(
  password: string,
  salt: Uint8Array,
  algorithm: PasswordAlgorithm = passwordAlgorithm,
  cost: PasswordCost = passwordCost,
): Promise<string> {
  return encode(algorithm, cost, salt, await derive(password, salt, algorithm, cost));
}

/**
 * Whether `password` made `encoded`, compared in constant time. Rejects when the hash is damaged or its algorithm is not in
 * this Node: that is the operator's problem, not a wrong password.
 */
export async function verifyPassword(password: string, encoded: string): Promise<boolean> {
  const { algorithm, cost, salt, digest } = decode(encoded);
  return crypto.timingSafeEqual(await derive(password, salt, algorithm, cost), digest);
}

/** A well-formed hash of the default cost that no known password verifies: costs the same work and says no. */
export function unmatchableHash(
  randomBytes: Uint8Array,
  algorithm: PasswordAlgorithm = passwordAlgorithm,
  cost: PasswordCost = passwordCost,
): string {
  return encode(algorithm, cost, randomBytes.subarray(0, saltBytes), randomBytes.subarray(saltBytes));
}

/** Whether the hash was made by this algorithm at this cost. */
export function isMadeBy(encoded: string, algorithm: PasswordAlgorithm, cost: PasswordCost): boolean {
  return encoded.startsWith(`${parametersOf(algorithm, cost)}$`);
}

const scryptAsync = promisify<string, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  crypto.scrypt,
);

async function derive(
  password: string,
  salt: Uint8Array,
  algorithm: PasswordAlgorithm,
  cost: PasswordCost,
): Promise<Uint8Array> {
  // The same password typed on another keyboard may arrive composed otherwise (RFC 8265 §4.2 asks for a normal form).
  const message = password.normalize("NFKC");
  if (algorithm === "scrypt") {
    const { logRounds, blockSize, lanes } = cost.scrypt;
    const N = 2 ** logRounds;
    return scryptAsync(message, salt, digestBytes, { N, r: blockSize, p: lanes, maxmem: 256 * N * blockSize });
  }
  if (passwordAlgorithm !== "argon2id") {
    throw new Error(
      "this password was hashed with argon2id, which Node has since 24.7: run the server on that or newer",
    );
  }
  const { memoryKib, passes, lanes } = cost.argon2id;
  return new Promise((resolve, reject) => {
    crypto.argon2(
      "argon2id",
      { message, nonce: salt, memory: memoryKib, passes, parallelism: lanes, tagLength: digestBytes },
      (error, digest) => (error ? reject(error) : resolve(digest)),
    );
  });
}

function encode(algorithm: PasswordAlgorithm, cost: PasswordCost, salt: Uint8Array, digest: Uint8Array): string {
  return `${parametersOf(algorithm, cost)}$${toBase64(salt)}$${toBase64(digest)}`;
}

function parametersOf(algorithm: PasswordAlgorithm, cost: PasswordCost): string {
  const { argon2id, scrypt: rounds } = cost;
  return algorithm === "argon2id"
    ? `$argon2id$v=19$m=${argon2id.memoryKib},t=${argon2id.passes},p=${argon2id.lanes}`
    : `$scrypt$ln=${rounds.logRounds},r=${rounds.blockSize},p=${rounds.lanes}`;
}

const argon2idPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;
const scryptPattern = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

function decode(encoded: string): {
  readonly algorithm: PasswordAlgorithm;
  readonly cost: PasswordCost;
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
} {
  const [algorithm, match] = encoded.startsWith("$argon2id$")
    ? (["argon2id", argon2idPattern.exec(encoded)] as const)
    : (["scrypt", scryptPattern.exec(encoded)] as const);
  if (match === null)
    throw new Error("the stored password hash is damaged or of an algorithm this version does not know");
  const [, first = "", second = "", third = "", salt = "", digest = ""] = match;
  const parameters = [Number(first), Number(second), Number(third)] as const;
  const cost: PasswordCost = {
    argon2id: { memoryKib: parameters[0], passes: parameters[1], lanes: parameters[2] },
    scrypt: { logRounds: parameters[0], blockSize: parameters[1], lanes: parameters[2] },
  };
  return { algorithm, cost, salt: Buffer.from(salt, "base64"), digest: Buffer.from(digest, "base64") };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
