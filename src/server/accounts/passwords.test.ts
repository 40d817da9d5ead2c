import { expect, test } from "vitest";
import { createSeededRandom } from "../../base/random.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { hashPassword, passwordAlgorithm, saltBytes, verifyPassword, type PasswordCost } from "./password-hash.ts";
import { createPasswords } from "./passwords.ts";

/** The least both algorithms accept, so that the tests are about behaviour and not about waiting. */
const cheap: PasswordCost = {
  argon2id: { memoryKib: 8, passes: 1, lanes: 1 },
  scrypt: { logRounds: 4, blockSize: 1, lanes: 1 },
};
const salt = Uint8Array.from({ length: saltBytes }, (_, index) => index);
const make = (bounds: { atOnceMax?: number; waitingMax?: number } = {}) =>
  createPasswords({ random: createSeededRandom(7), cost: cheap, ...bounds });

test.each([passwordAlgorithm, "scrypt"] as const)("a %s hash is verified by its password alone", async (algorithm) => {
  const encoded = await hashPassword("correct horse", salt, algorithm, cheap);
  expect(await verifyPassword("correct horse", encoded)).toBe(true);
  expect(await verifyPassword("correct horsf", encoded)).toBe(false);
  expect(await verifyPassword("", encoded)).toBe(false);
});

test("the encoded hash names algorithm, cost and salt, and never the password", async () => {
  const encoded = await hashPassword("correct horse", salt, "scrypt", cheap);
  expect(encoded).toMatch(/^\$scrypt\$ln=4,r=1,p=1\$AAECAwQFBgcICQoLDA0ODw\$[A-Za-z0-9+/]{43}$/);
  const other = await hashPassword("correct horse", salt, passwordAlgorithm, cheap);
  expect(other.startsWith(`$${passwordAlgorithm}$`)).toBe(true);
});

test("argon2id gives the published answer of its reference implementation's test suite", async () => {
  const cost: PasswordCost = { ...cheap, argon2id: { memoryKib: 65_536, passes: 2, lanes: 1 } };
  expect(await hashPassword("password", new TextEncoder().encode("somesalt"), "argon2id", cost)).toBe(
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  );
});

test("scrypt gives the published answer of RFC 7914, section 12", async () => {
  const digest = Buffer.from("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442", "hex");
  expect(await hashPassword("", new Uint8Array(0), "scrypt", cheap)).toBe(
    `$scrypt$ln=4,r=1,p=1$$${digest.toString("base64").replaceAll("=", "")}`,
  );
});

test("a password is the same however its letters were composed", async () => {
  const passwords = make();
  const encoded = await passwords.hash("caf\u00e9 secret");
  expect(await passwords.verify("cafe\u0301 secret", encoded)).toBe(true);
});

test("each hash has a salt of its own", async () => {
  const passwords = make();
  expect(await passwords.hash("same password")).not.toBe(await passwords.hash("same password"));
});

test("a hash is current as long as algorithm and cost are those in use", async () => {
  const passwords = make();
  expect(passwords.isCurrent(await passwords.hash("correct horse"))).toBe(true);
  const dearer: PasswordCost = { argon2id: { ...cheap.argon2id, passes: 10 }, scrypt: { ...cheap.scrypt, lanes: 10 } };
  expect(passwords.isCurrent(await hashPassword("correct horse", salt, passwordAlgorithm, dearer))).toBe(false);
  const other = passwordAlgorithm === "scrypt" ? "argon2id" : "scrypt";
  expect(passwords.isCurrent(await hashPassword("correct horse", salt, other, cheap))).toBe(false);
});

test("no account verifies nothing", async () => {
  expect(await make().verify("anything", undefined)).toBe(false);
});

test.each(["", "$2b$10$abc", "$argon2id$v=19$m=8,t=1,p=1$short$short", "$scrypt$ln=4,r=1,p=1$AAECAwQFBgcICQoLDA0ODw$"])(
  "a damaged stored hash is an error, not a wrong password: %j",
  async (encoded) => {
    await expect(verifyPassword("password", encoded)).rejects.toThrow(/stored password hash/);
  },
);

test("beyond what may run and wait, hashing is refused as overloaded, and what waits is done in the end", async () => {
  const passwords = make({ atOnceMax: 2, waitingMax: 3 });
  const settled = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.hash("password")));
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
  const refused = settled.filter((result) => result.status === "rejected");
  expect(refused.map(({ reason }) => (reason instanceof WireError ? reason.code : reason))).toEqual([
    "overloaded",
    "overloaded",
    "overloaded",
  ]);
  expect(await passwords.hash("password")).toMatch(/^\$/);
});

test("a failing hash gives its place back", async () => {
  const passwords = make({ atOnceMax: 1, waitingMax: 1 });
  await expect(passwords.verify("password", "damaged")).rejects.toThrow(/stored password hash/);
  await expect(passwords.verify("password", "damaged")).rejects.toThrow(/stored password hash/);
  expect(await passwords.hash("password")).toMatch(/^\$/);
});
