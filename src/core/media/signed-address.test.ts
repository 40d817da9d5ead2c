import { describe, expect, it } from "vitest";
import type { MediaGrant } from "../ports/media.ts";
import { signAddress, verifyAddress } from "./signed-address.ts";

const key = Buffer.alloc(32, 1);
const name = "00112233445566778899aabbccddeeff";
const read: MediaGrant = { action: "read", name };
const write: MediaGrant = { action: "write", name, part: 2, sizeBytes: 8_388_608 };
const expiresAt = 1_700_000_000_500;

function verify(address: string, method: "GET" | "PUT", now = expiresAt, withKey = key): MediaGrant | undefined {
  const { pathname, searchParams } = new URL(address, "http://server");
  return verifyAddress(withKey, method, pathname.replace("/media/", ""), searchParams, now);
}

describe("a signed address", () => {
  it("allows what it was made for, until its second is over", () => {
    expect(verify(signAddress(key, read, expiresAt), "GET")).toEqual(read);
    expect(verify(signAddress(key, write, expiresAt), "PUT")).toEqual(write);
    const address = signAddress(key, read, expiresAt);
    expect(verify(address, "GET", 1_700_000_001_000)).toEqual(read);
    expect(verify(address, "GET", 1_700_000_001_001)).toBeUndefined();
  });

  it("allows nothing else: not to write what may be read, nor the other way round", () => {
    expect(verify(signAddress(key, read, expiresAt), "PUT")).toBeUndefined();
    expect(verify(signAddress(key, write, expiresAt), "GET")).toBeUndefined();
    const both = `${signAddress(key, read, expiresAt)}&part=2&size=8388608`;
    expect(verify(both, "PUT")).toBeUndefined();
  });

  it.each([
    ["another object", /0011/, "1111"],
    ["another part", /part=2/, "part=3"],
    ["a part that reads the same", /part=2/, "part=02"],
    ["more bytes", /size=8388608/, "size=9388608"],
    ["a later end", /expires=1700000001/, "expires=1800000001"],
    ["no end", /expires=\d+/, "expires="],
    ["an end that is no number", /expires=\d+/, "expires=9e99"],
    ["a changed signature", /signature=..../, "signature=AAAA"],
    ["a shorter signature", /(signature=\S{20})\S*/, "$1"],
    ["no signature", /signature=.*/, "signature="],
  ])("is worth nothing with %s", (_what, from, to) => {
    const address = signAddress(key, write, expiresAt);
    const changed = address.replace(from, to);
    expect(changed).not.toBe(address);
    expect(verify(changed, "PUT")).toBeUndefined();
  });

  it("is worth nothing to a server with another key", () => {
    expect(verify(signAddress(key, read, expiresAt), "GET", expiresAt, Buffer.alloc(32, 2))).toBeUndefined();
  });
});
