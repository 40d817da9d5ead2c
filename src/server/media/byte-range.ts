/** Bytes [fromByte, toByte) of an object; `unsatisfiable`: nothing of what was asked for is there (416). */
export type ByteRange = { readonly fromByte: number; readonly toByte: number } | "unsatisfiable";

/**
 * What `Range` (RFC 9110 §14) asks of an object of `sizeBytes` (≥ 1). Undefined = the whole: there is no such header, it
 * is not well-formed (also: it ends before it begins), or it asks for several ranges, which nobody has to serve and
 * which would cost more than they bring.
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const count = Math.min(Number(last), sizeBytes);
    return count === 0 ? "unsatisfiable" : { fromByte: sizeBytes - count, toByte: sizeBytes };
  }
  if (last !== "" && Number(last) < Number(first)) return undefined;
  if (Number(first) >= sizeBytes) return "unsatisfiable";
  return { fromByte: Number(first), toByte: last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/** Whether `If-None-Match` or `If-Range` (a list, or `*`) names this ETag; weak ones compare as strong ones. */
export function namesEtag(header: string | undefined, etag: string): boolean {
  const named = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return named.includes(etag) || named.includes("*");
}
