/**
 * Flushes every connection that was written to since the event loop last polled: one write (one system call) a
 * connection and turn, however many replies and pushes the turn made for it.
 */
export class FlushRound {
  #waiting: { flush(): void }[] = [];

  add(target: { flush(): void }): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#run());
    this.#waiting.push(target);
  }

  #run(): void {
    const targets = this.#waiting;
    this.#waiting = [];
    for (const target of targets) target.flush();
  }
}
