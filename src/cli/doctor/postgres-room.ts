import { StoreError } from "../../base/store-error.ts";
import type { PostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import { storeFinding, type Finding } from "./finding.ts";

/** A segment of the write-ahead log, bytes: PostgreSQL ends when there is no room for the next one. */
const segmentBytes = 16 * 1024 * 1024;
const rowBytes = 1_024;

/**
 * Sorts so much that it has to be laid out on the disk: needs no right to write, leaves nothing behind, and adds nothing
 * to the log, which on a full disk may end the server.
 */
const layOut = `
  SELECT count(*) FROM (
    SELECT repeat(md5(i::text), ${rowBytes / 32}) AS filler FROM generate_series(1, ${segmentBytes / rowBytes}) AS i ORDER BY filler
  ) AS laid_out`;

/** Whether the disk has room for PostgreSQL to go on; a finding if not. Errors: StoreError. */
export async function postgresRoom(postgres: PostgresAdmin): Promise<readonly Finding[]> {
  await postgres.query("SET work_mem = '64kB'");
  await postgres.query("SET temp_tablespaces = ''");
  try {
    await postgres.query(layOut);
  } catch (error) {
    if (error instanceof StoreError && error.kind === "full") return [storeFinding(error)];
    // A bound on temporary files (temp_file_limit) says nothing about the disk.
  }
  return [];
}
