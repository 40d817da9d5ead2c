import { describe, expect, it } from "vitest";
import { WireError } from "../../protocol/wire-errors.ts";
import { hasCode, orWireError, toStoreError, toWireError } from "./errors.ts";

const answer = (code: string | undefined, status: number): Error =>
  Object.assign(new Error(code ?? "UnknownError"), {
    ...(code === undefined ? {} : { name: code, Code: code }),
    $metadata: { httpStatusCode: status },
  });
const onTheWay = (code: string): Error => Object.assign(new Error(code), { code });

describe("what the object store answers", () => {
  it.each([
    [answer("InvalidAccessKeyId", 403), "wrong_password", "store_unavailable"],
    [answer("SignatureDoesNotMatch", 403), "wrong_password", "store_unavailable"],
    [answer("AccessDenied", 403), "wrong_password", "store_unavailable"],
    [answer(undefined, 403), "wrong_password", "store_unavailable"],
    [answer("NoSuchBucket", 404), "missing_database", "store_unavailable"],
    [answer("RequestTimeTooSkewed", 403), "other", "store_unavailable"],
    [answer("QuotaExceeded", 403), "full", "storage_full"],
    [answer("XMinioStorageFull", 507), "full", "storage_full"],
    [answer(undefined, 507), "full", "storage_full"],
    [answer("XMinioStorageReadOnly", 503), "read_only", "storage_full"],
    [answer("SlowDown", 503), "unreachable", "store_unavailable"],
    [answer("InternalError", 500), "unreachable", "store_unavailable"],
    [answer(undefined, 502), "unreachable", "store_unavailable"],
    [answer("MalformedXML", 400), "other", "store_unavailable"],
    [onTheWay("ECONNREFUSED"), "unreachable", "store_unavailable"],
    [onTheWay("ENOTFOUND"), "unreachable", "store_unavailable"],
    [Object.assign(new Error("slow"), { name: "TimeoutError" }), "unreachable", "store_unavailable"],
    [new TypeError("fetch failed", { cause: onTheWay("ECONNRESET") }), "unreachable", "store_unavailable"],
    [new Error("error:0A00010B:SSL routines::wrong version number"), "wrong_transport", "store_unavailable"],
    [new Error("who knows"), "other", "store_unavailable"],
    [undefined, "other", "store_unavailable"],
  ])("%s is %s, told to clients as %s", (error, kind, code) => {
    const store = toStoreError(error);
    expect([store.store, store.kind, store.cause]).toEqual(["s3", kind, error]);
    expect(store.fix).not.toBe("");
    expect(toWireError(error)).toMatchObject({ code, cause: { kind } });
  });

  it("names what it does not know", () => {
    expect(toStoreError(answer("MalformedXML", 400)).message).toContain("MalformedXML (400)");
  });

  it("is found by its code", () => {
    expect(hasCode(answer("NoSuchUpload", 404), "NoSuchKey", "NoSuchUpload")).toBe(true);
    expect(hasCode(undefined, "NoSuchKey")).toBe(false);
  });

  it("stays what it was if it was translated before", async () => {
    const known = new WireError("media_exists");
    await expect(orWireError(() => Promise.reject(known))).rejects.toBe(known);
  });
});
