import cassandra from "cassandra-driver";
import { assert } from "../../base/assert.ts";
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
  /** Whether no node is connected: every statement fails until one is. */
  lost(): boolean;
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

export interface SessionGates {
  readonly statements: LoadGate;
  /**
   * Reads of whole partitions, before each of their statements asks to be let in: thousands of devices that come back at one
   * moment read a list each, and a message of somebody else must not wait behind all of them.
   */
  readonly wholeReads: LoadGate;
}

/** Reports what the callers of the ports do not see: the cause behind a WireError. */
export type ReportFailure = (cause: unknown) => void;

export class DriverSession implements CassandraSession {
  readonly keyspace: string;
  readonly #client: cassandra.Client;
  readonly #gate: LoadGate;
  readonly #wholeGate: LoadGate;
  readonly #report: ReportFailure;
  #closing: Promise<void> | undefined;

  /** `client` is connected, and closed with the session. */
  constructor(client: cassandra.Client, keyspace: string, gates: SessionGates, report: ReportFailure) {
    this.#client = client;
    this.keyspace = keyspace;
    this.#gate = gates.statements;
    this.#wholeGate = gates.wholeReads;
    this.#report = report;
  }

  async read(statement: Statement, consistency: Consistency): Promise<readonly ResultRow[]> {
    return (await this.#run("begins", [statement], consistency === "serial" ? serialRead : latestRead)).rows;
  }

  async readAll(statement: Statement): Promise<readonly ResultRow[]> {
    const turn = this.#wholeGate.enter("begins");
    if (turn !== undefined) await turn;
    try {
      return await this.#readPages(statement);
    } finally {
      this.#wholeGate.leave();
    }
  }

  async #readPages(statement: Statement): Promise<readonly ResultRow[]> {
    let page = await this.#run("begins", [statement], latestRead);
    if (page.pageState === null) return page.rows;
    const rows: ResultRow[] = [...page.rows];
    while (page.pageState !== null) {
      page = await this.#run("ends", [statement], { ...latestRead, pageState: page.pageState });
      rows.push(...page.rows);
    }
    return rows;
  }

  async write(statements: readonly Statement[], urgency: Urgency): Promise<void> {
    if (statements.length > 0) await this.#run(urgency, statements, register);
  }

  async writeIf(statements: readonly Statement[]): Promise<ConditionalOutcome> {
    let answer: Answer;
    try {
      answer = await this.#send("begins", statements, conditional);
    } catch (error) {
      if (judgeDriverError(error) !== "unknown") throw this.#translate(error);
      this.#report(error);
      return { outcome: "undecided" };
    }
    const [row] = answer.rows;
    assert(row !== undefined, "a conditional write is answered with a row");
    return row["[applied]"] === true ? { outcome: "applied" } : { outcome: "refused", row };
  }

  load(): { readonly inFlight: number; readonly waiting: number } {
    return { inFlight: this.#gate.inFlight, waiting: this.#gate.waiting + this.#wholeGate.waiting };
  }

  lost(): boolean {
    return this.#client.getState().getConnectedHosts().length === 0;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#client.shutdown());
  }

  async #run(urgency: Urgency, statements: readonly Statement[], options: cassandra.QueryOptions): Promise<Answer> {
    try {
      return await this.#send(urgency, statements, options);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /** Sends when its turn has come. */
  async #send(urgency: Urgency, statements: readonly Statement[], options: cassandra.QueryOptions): Promise<Answer> {
    const turn = this.#gate.enter(urgency);
    if (turn !== undefined) await turn;
    try {
      const [only] = statements;
      // The driver does not change what it is given; its types do not say so.
      return statements.length === 1 && only !== undefined
        ? await this.#client.execute(only.query, only.params as Cell[], options)
        : await this.#client.batch(statements as { query: string; params: Cell[] }[], options);
    } finally {
      this.#gate.leave();
    }
  }

  #translate(cause: unknown): unknown {
    const error = wireErrorOf(cause);
    if (error !== cause) this.#report(cause);
    return error;
  }
}

interface Answer {
  readonly rows: readonly ResultRow[];
  readonly pageState: string | null;
}
