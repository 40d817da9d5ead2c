/** What waits was told to stop waiting: its job stays in the queue. */
export class FanOutStopped extends Error {
  override readonly name = "FanOutStopped";

  constructor() {
    super("the process stops");
  }
}
