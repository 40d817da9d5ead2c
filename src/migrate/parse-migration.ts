import { checksumOf, normaliseText } from "./checksum.ts";
import { scanCql } from "./cql/scan.ts";
import { readAllowances, readDirectives } from "./directives.ts";
import { MigrateError } from "./migrate-error.ts";
import type { Migration, SchemaKind, Statement } from "./migration.ts";
import { describePlace, placeAt, ScanError, type ScannedFile, type Span } from "./scanned.ts";
import { parseSql } from "./sql/scan.ts";

export interface MigrationSource {
  readonly kind: SchemaKind;
  readonly version: number;
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

const verifyMark = /^--\s*verify\s*$/;

/** Reads one file. SQL needs `loadSqlParser` first. Throws MigrateError bad_file with file:line:column. */
export function parseMigration(source: MigrationSource): Migration {
  const text = normaliseText(source.text);
  try {
    const scanned = source.kind === "cql" ? scanCql(text) : parseSql(text);
    return { ...source, text, checksum: checksumOf(text), ...partsOf(text, scanned) };
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    const place = describePlace(source.file, placeAt(text, error.offset));
    throw new MigrateError("bad_file", `${place}: ${error.message}.`, "Correct the file there.", error);
  }
}

function partsOf(
  text: string,
  { comments, statements }: ScannedFile,
): Pick<Migration, "directives" | "statements" | "verify"> {
  const said = comments.map(({ start, end }) => ({ text: text.slice(start, end), offset: start }));
  const marks = said.filter((comment) => verifyMark.test(comment.text));
  if (marks[1] !== undefined) throw new ScanError("a second -- verify", marks[1].offset);
  const verifyFrom = marks[0]?.offset ?? text.length;
  const headEnd = statements[0]?.start ?? text.length;
  const all = statements.map(({ start, end }, index): Statement => {
    const from = statements[index - 1]?.end;
    const above = said.filter(({ offset }) => from !== undefined && offset >= from && offset < start);
    const body = text.slice(start, end);
    return { text: body, place: placeAt(text, start), checksum: checksumOf(body), allowed: readAllowances(above) };
  });
  const isVerify = (_: unknown, index: number): boolean => (statements[index] as Span).start > verifyFrom;
  const work = all.filter((statement, index) => !isVerify(statement, index));
  if (work.length === 0) throw new ScanError("a migration without a statement", 0);
  return {
    directives: readDirectives(said.filter(({ offset }) => offset < headEnd)),
    statements: work,
    verify: all.filter(isVerify),
  };
}
