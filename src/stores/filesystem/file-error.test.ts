import { describe, expect, it } from "vitest";
import { WireError } from "../../protocol/wire-errors.ts";
import { orWireError, systemCode, toWireError } from "./file-error.ts";

const refusal = (code: string): Error => Object.assign(new Error(`${code}: write`), { code, syscall: "write" });

describe("what the system refused", () => {
  it.each([
    ["ENOSPC", "storage_full"],
    ["EDQUOT", "storage_full"],
    ["EFBIG", "storage_full"],
    ["EIO", "store_unavailable"],
    ["EACCES", "store_unavailable"],
    ["EMFILE", "store_unavailable"],
    ["ENOENT", "store_unavailable"],
  ])("%s is told as %s, with its cause", async (code, wire) => {
    const error = refusal(code);
    const failed = orWireError(() => Promise.reject(error));
    await expect(failed).rejects.toMatchObject({ name: "WireError", code: wire, cause: error });
  });

  it("is not confused with a connection that broke, or with what was refused before", () => {
    const aborted = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    const known = new WireError("media_exists");
    expect([toWireError(aborted), toWireError(known), toWireError("text")]).toEqual([aborted, known, "text"]);
    expect(systemCode(aborted)).toBeUndefined();
  });
});
