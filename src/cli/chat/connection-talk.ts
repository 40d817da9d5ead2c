import type { ClientEvent } from "../../client/machine/types.ts";
import type { HostEvent } from "../../client/runtime/device-host.ts";

type ConnectionEvent = Extract<ClientEvent, { type: "connection" }>;

/** Interruptions shorter than this are nobody's business. */
const silenceMs = 1_500;

/** Says when the connection was lost for longer than a moment, and when it is back. */
export class ConnectionTalk {
  readonly #say: (text: string) => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isOffline = false;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  hear(event: HostEvent): void {
    if (event.type === "connection") this.#hear(event);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #hear({ state }: ConnectionEvent): void {
    if (state === "waiting") {
      this.#timer ??= setTimeout(() => {
        this.#isOffline = true;
        this.#say("(offline; trying to connect. What is written goes out when the server is back.)");
      }, silenceMs);
      return;
    }
    if (state !== "ready") return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isOffline) this.#say("(connected again)");
    this.#isOffline = false;
  }
}
