import cassandra from "cassandra-driver";
import type { Consistency } from "../../core/ports/message-log.ts";
import type { Cell } from "./cells.ts";
import { judgeDriverError, wireErrorOf } from "./driver-errors.ts";
import type { LoadGate, Urgency } from "./load-gate.ts";

/** A prepared statement with its values, in the order of its question marks. */
export interface Statement {
  readonly query: string;
  readonly params: readonly Cell[];
}

/** A row as the driver gives it; each adapter says which columns it asked for. */
export type ResultRow = Readonly<Record<string, unknown>>;

export type ConditionalOutcome =
  | { readonly outcome: "applied" }
  /** `row`: what the node says of the row that did not match. */
  | { readonly outcome: "refused"; readonly row: ResultRow }
  | { readonly outcome: "undecided" };

/**
 * The statements of this process to Cassandra: prepared, at LOCAL_QUORUM, bounded in number and time. Errors: WireError
 * `store_unavailable`, `storage_full` and, when too many wait, `overloaded`.
 */
export interface CassandraSession {
  readonly keyspace: string;
  /** One page of rows: at most `rowsPerRead`, so that statements say LIMIT. */
  read(statement: Statement, consistency: Consistency): Promise<readonly ResultRow[]>;
  /** Every row, however many; page by page. */
  readAll(statement: Statement): Promise<readonly ResultRow[]>;
  /** Idempotent writes to one partition, together or not at all. Repeated once when the outcome is open. */
  write(statements: readonly Statement[], urgency: Urgency): Promise<void>;
  /** Conditional writes to one partition, together. Never repeated; rejects only if nothing was sent. */
  writeIf(statements: readonly Statement[]): Promise<ConditionalOutcome>;
  /** Statements under way and waiting now. */
  load(): { readonly inFlight: number; readonly waiting: number };
  /** Ends every connection; what is under way fails. Twice does no harm. */
  close(): Promise<void>;
}

/** Rows of one answer of the node. */
export const rowsPerRead = 5_000;

const { consistencies } = cassandra.types;

/** One object a kind of statement: the driver reads them for every request. */
const common = { prepare: true, fetchSize: rowsPerRead, serialConsistency: consistencies.localSerial, logged: false };
const latestRead = { ...common, consistency: consistencies.localQuorum, isIdempotent: true };
const serialRead = { ...common, consistency: consistencies.localSerial, isIdempotent: true };
const register = { ...common, consistency: consistencies.localQuorum, isIdempotent: true };
const conditional = { ...common, consistency: consistencies.localQuorum, isIdempotent: false };

/** Reports what the callers of the ports do not see: the cause behind a WireError. */
export type ReportFailure = (cause: unknown) => void;

export function createSession(
  client: cassandra.Client,
  keyspace: string,
  gate: LoadGate,
  report: ReportFailure,
): CassandraSession {
  const failed = (cause: unknown): unknown => {
    const error = wireErrorOf(cause);
    if (error !== cause) report(cause);
    return error;
  };

  /** Runs one request when its turn has come. */
  async function pass<T>(urgency: Urgency, request: () => Promise<T>): Promise<T> {
    const turn = gate.enter(urgency);
    if (turn !== undefined) await turn;
    try {
      return await request();
    } finally {
      gate.leave();
    }
  }

  async function read(statement: Statement, consistency: Consistency): Promise<readonly ResultRow[]> {
    const options = consistency === "serial" ? serialRead : latestRead;
    try {
      return (await pass("begins", () => execute(client, statement, options))).rows;
    } catch (error) {
      throw failed(error);
    }
  }

  async function readAll(statement: Statement): Promise<readonly ResultRow[]> {
    try {
      let page = await pass("begins", () => execute(client, statement, latestRead));
      if (page.pageState === null) return page.rows;
      const rows: ResultRow[] = [...page.rows];
      while (page.pageState !== null) {
        const options = { ...latestRead, pageState: page.pageState };
        page = await pass("ends", () => execute(client, statement, options));
        rows.push(...page.rows);
      }
      return rows;
    } catch (error) {
      throw failed(error);
    }
  }

  async function write(statements: readonly Statement[], urgency: Urgency): Promise<void> {
    const [only] = statements;
    if (only === undefined) return;
    try {
      await pass(urgency, () =>
        statements.length === 1 ? execute(client, only, register) : batch(client, statements, register),
      );
    } catch (error) {
      throw failed(error);
    }
  }

  async function writeIf(statements: readonly Statement[]): Promise<ConditionalOutcome> {
    try {
      const [row] = (await pass("begins", () => batch(client, statements, conditional))).rows;
      if (row === undefined) return { outcome: "undecided" };
      return row["[applied]"] === true ? { outcome: "applied" } : { outcome: "refused", row };
    } catch (error) {
      if (judgeDriverError(error) === "unknown") {
        report(error);
        return { outcome: "undecided" };
      }
      throw failed(error);
    }
  }

  let closing: Promise<void> | undefined;
  return {
    keyspace,
    read,
    readAll,
    write,
    writeIf,
    load: () => ({ inFlight: gate.inFlight, waiting: gate.waiting }),
    close: () => (closing ??= client.shutdown()),
  };
}

interface Answer {
  readonly rows: readonly ResultRow[];
  readonly pageState: string | null;
}

/** The driver does not change what it is given; its types do not say so. */
function execute(
  client: cassandra.Client,
  { query, params }: Statement,
  options: cassandra.QueryOptions,
): Promise<Answer> {
  return client.execute(query, params as Cell[], options);
}

function batch(
  client: cassandra.Client,
  statements: readonly Statement[],
  options: cassandra.QueryOptions,
): Promise<Answer> {
  return client.batch(statements as { query: string; params: Cell[] }[], options);
}
