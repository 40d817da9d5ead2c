import { type Base, type Connection, kGetBootstrapConnection } from "@platformatic/kafka";

/** What of a client is taken over. */
export type Bootstrapped = Pick<Base, typeof kGetBootstrapConnection>;

/**
 * Which of `kafka.brokers` is asked first. The driver (2.12) begins with the first one, every time: if the machine of that
 * one is gone without a word, each request waits for a connection to it, and a look at the queue takes longer than it may,
 * although the others are well. Here whoever answered is asked first from then on, by all clients of the process; one that
 * takes connections and says nothing is passed over by `next`.
 */
export class BrokerChoice {
  readonly #brokers: readonly string[];
  #first = 0;

  /** `brokers`: host:port, at least one. */
  constructor(brokers: readonly string[]) {
    this.#brokers = brokers;
  }

  /** Has the client ask in that order. Answers the client. */
  lead<C extends Bootstrapped>(client: C): C {
    const connect = client[kGetBootstrapConnection].bind(client);
    client[kGetBootstrapConnection] = (callback, attempt = 0) => {
      // The driver turns its list, which begins with ours, by the number of the attempt.
      connect((error, connection) => {
        if (connection !== undefined) this.#answered(connection);
        callback(error, connection);
      }, this.#first + attempt);
    };
    return client;
  }

  /** Nothing came of it: begin with the one behind. */
  next(): void {
    this.#first = (this.#first + 1) % this.#brokers.length;
  }

  #answered(connection: Connection): void {
    const at = this.#brokers.indexOf(`${connection.host}:${connection.port}`);
    if (at >= 0) this.#first = at;
  }
}
