import type pg from "pg";
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { StoreError } from "../../base/store-error.ts";
import { Circuit } from "./circuit.ts";
import { isConflict, keepsConnection, portError, postgresError, translateError } from "./errors.ts";
import type { Answer, Postgres, Transaction } from "./postgres.ts";
import type { Statement } from "./statement.ts";

/** Callers that may wait for one connection; each waits for the time-out at most. */
const waitingPerConnectionMax = 1_024;
/** Runs of one transaction that others undo each time. Whoever undid it has been committed, so some progress every time. */
const attemptsMax = 5;
const pauseMs = 10;
/** A database that nobody asked anything for this long is asked by `lost`. */
const silenceMsMax = 5_000;

/**
 * Actors: callers, who each borrow a connection for one statement or one transaction; the driver's pool, which opens and
 * closes connections; the circuit, which knows whether the database answers. A connection goes back only if the server
 * still listens on it; any other is closed, and the next borrower gets a new one. Nothing is asked again by itself but
 * what the database has undone (deadlock, serialization): after a lost connection only the caller knows whether
 * repeating does harm.
 */
export class Pool implements Postgres {
  readonly #pool: pg.Pool;
  readonly #waitingMax: number;
  readonly #clock: Clock;
  readonly #circuit = new Circuit();
  #heardAt: number;
  #probing = false;

  constructor(pool: pg.Pool, connectionsMax: number, clock: Clock, log: Logger | undefined) {
    this.#pool = pool;
    this.#waitingMax = connectionsMax * waitingPerConnectionMax;
    this.#clock = clock;
    this.#heardAt = clock.monotonicMs();
    // An idle connection that breaks is the pool's to drop; without a listener it would end the process.
    pool.on("error", (error) => log?.warn({ err: error }, "PostgreSQL closed an idle connection"));
    // One that is lent out says so by its statement as well.
    pool.on("connect", (client) => client.on("error", () => undefined));
  }

  query<Row>(statement: Statement, values: readonly unknown[]): Promise<Answer<Row>> {
    return this.#untilThrough((client) => run<Row>(client, statement, values));
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#untilThrough((client) => runTransaction(client, work));
  }

  lost(): boolean {
    const isSilent = this.#clock.monotonicMs() - this.#heardAt > silenceMsMax;
    if ((this.#circuit.isLost || isSilent) && !this.#probing) {
      this.#probing = true;
      // Never rejects.
      void this.#probe();
    }
    return this.#circuit.isLost;
  }

  load(): number {
    return this.#pool.totalCount - this.#pool.idleCount + this.#pool.waitingCount;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #probe(): Promise<void> {
    try {
      await this.#borrow((client) => client.query("SELECT 1"));
    } catch {
      // The circuit knows.
    } finally {
      this.#probing = false;
    }
  }

  async #untilThrough<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#borrow(work);
      } catch (error) {
        if (!isConflict(error) || attempt === attemptsMax) throw portError(error);
      }
      // The one that waited for the undone locks takes them meanwhile; otherwise both might meet again at once.
      await new Promise<void>((resolve) => this.#clock.schedule(attempt * pauseMs, resolve));
    }
  }

  /** Rejects with the driver's error, so that the callers above see which it was. */
  async #borrow<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (!this.#circuit.admit(this.#clock.monotonicMs()))
      throw postgresError("unreachable", "PostgreSQL did not answer.");
    if (this.#pool.waitingCount >= this.#waitingMax) {
      throw postgresError("unreachable", "Too many callers wait for a connection to PostgreSQL.");
    }
    const client = await this.#connect();
    let isSound = false;
    try {
      const result = await work(client);
      isSound = true;
      this.#answered();
      return result;
    } catch (error) {
      isSound = keepsConnection(error);
      if (isSound) this.#answered();
      else this.#failed(error);
      throw error;
    } finally {
      client.release(!isSound);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #answered(): void {
    this.#heardAt = this.#clock.monotonicMs();
    this.#circuit.answered();
  }

  #failed(error: unknown): void {
    // A turn that did not come says that this pool is busy, not that the database is away.
    if (error instanceof Error && error.message.startsWith("timeout exceeded when trying")) return;
    const translated = translateError(error);
    if (translated instanceof StoreError) this.#circuit.failed(this.#clock.monotonicMs());
  }
}

async function run<Row>(
  client: pg.PoolClient,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Answer<Row>> {
  const { rows, rowCount } = await client.query({ name, text, values: values as unknown[] });
  return { rows: rows as Row[], count: rowCount ?? 0 };
}

async function runTransaction<T>(client: pg.PoolClient, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  let isAbandoned = false;
  const transaction: Transaction = {
    query: (statement, values) => run(client, statement, values),
    abandon: () => {
      isAbandoned = true;
    },
  };
  const begun = client.query("BEGIN");
  // Awaited below; if it fails before, so does everything after it.
  begun.catch(() => undefined);
  try {
    const result = await work(transaction);
    await begun;
    const { command } = await client.query(isAbandoned ? "ROLLBACK" : "COMMIT");
    assert(isAbandoned || command === "COMMIT", "a transaction with a failed statement was not ended by its work");
    return result;
  } catch (error) {
    if (keepsConnection(error)) await client.query("ROLLBACK");
    throw error;
  }
}
