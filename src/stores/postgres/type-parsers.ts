import pg from "pg";

type TypeParser = (text: string) => unknown;

/** Of the catalogue of types, which is fixed for the built-in ones (pg_type.dat). */
const bigintOid = 20;
const bigintArrayOid = 1016;

/** The driver's types, but bigint as a number: every bigint of the schema is a time, a seq or a size. */
export const typeParsers = {
  getTypeParser(oid: number, format?: "text" | "binary"): TypeParser {
    if (format !== "binary" && oid === bigintOid) return parseSafeInteger;
    if (oid === bigintArrayOid) throw new Error("no statement answers an array of bigint: it would arrive as text");
    return pg.types.getTypeParser(oid, format ?? "text") as TypeParser;
  },
};

/** Throws when the number is not exact as a double: then the row is damaged, and rounding would hide it. */
export function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`a bigint of ${text} is beyond 2^53`);
  return value;
}
