import { describe, expect, it } from "vitest";
import { MemoryMediaObjects } from "../../../test/helpers/core-ports/memory-media-stores.ts";
import type { MediaObjects } from "../ports/media.ts";
import { createCdn } from "./cdn.ts";
import { signAddress } from "./signed-address.ts";

const key = Buffer.alloc(32, 1);
const name = "00112233445566778899aabbccddeeff";
const other = "ffeeddccbbaa99887766554433221100";
const now = 1_700_000_000_000;

function onObjects() {
  const memory = new MemoryMediaObjects();
  const objects: MediaObjects = {
    plan: (object) => memory.plan(object),
    finish: (...words) => memory.finish(...words),
    sizeBytes: (object) => memory.sizeBytes(object),
    read: (object) => memory.read(object),
    remove: (object) => memory.remove(object),
    signRead: async (object, expiresAt) => `http://s3:9000/bucket/${object}?until=${expiresAt}&a=b%3B`,
  };
  return createCdn(objects, { url: "https://cdn.example", key, originTtlMs: 60_000 });
}

const pathOf = (address: string): string => address.replace("https://cdn.example", "");

describe("a cache in front of the objects", () => {
  it("is what readers are sent to", async () => {
    const address = await onObjects().objects.signRead(name, now + 1_000);
    expect(address).toMatch(/^https:\/\/cdn\.example\/media\/00112233445566778899aabbccddeeff\?expires=1700000001&/);
  });

  it("is told the object and its origin, for a while, when the address holds", async () => {
    const cdn = onObjects();
    const address = pathOf(await cdn.objects.signRead(name, now + 1_000));
    const origin = `/bucket/${name}?until=${now + 61_000}&a=b%3B`;
    expect(await cdn.admit(address, now + 1_000)).toEqual({ name, origin });
    expect(await cdn.admit(address, now + 1_001)).toBeUndefined();
  });

  it.each([
    ["another object", name, other],
    [
      "another key",
      /signature=.*/,
      pathOf(signAddress(Buffer.alloc(32, 2), { action: "read", name }, now)).split("&")[1],
    ],
    ["no signature", /&signature=.*/, ""],
    ["a path that leads to the object", "/media/", "/media/../media/"],
    ["a path that ends at the object", "/media/", `/media/${other}/../`],
    ["a doubled slash", "/media/", "/media//"],
    ["an escaped letter", "/media/0", "/media/%30"],
    ["capital letters", "aabbcc", "AABBCC"],
    ["something behind the name", name, `${name}/x`],
    ["something behind the signature", /$/, "&x=1"],
    ["a second expiry", "?", "?expires=1900000000&"],
    ["a line break", /$/, "\n"],
    ["a prefix", /^/, "x"],
  ])("is told nothing with %s", async (_what, from, to) => {
    const cdn = onObjects();
    const address = pathOf(await cdn.objects.signRead(name, now + 1_000));
    const changed = address.replace(from, String(to));
    expect(changed).not.toBe(address);
    expect(await cdn.admit(changed, now)).toBeUndefined();
  });

  it("is told nothing of an address that allows to write", async () => {
    const write = signAddress(key, { action: "write", name, part: 0, sizeBytes: 1 }, now + 1_000);
    expect(await onObjects().admit(write, now)).toBeUndefined();
    expect(await onObjects().admit(write.replace("part=0&size=1&", ""), now)).toBeUndefined();
  });
});
