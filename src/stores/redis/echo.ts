import type { Clock, Timer } from "../../base/clock.ts";
import type { Hearing } from "../../core/ports/bus.ts";
import type { Losses } from "./losses.ts";

export interface EchoOptions {
  readonly clock: Clock;
  readonly losses: Losses;
  /** Says something on the channel of this process. */
  readonly say: (text: string) => Promise<void>;
  /** Changes with everything that makes what was said before worthless. */
  readonly epoch: () => string;
}

/** Four in a second: three may be late before a process believes nothing that is older than a second. */
const echoEveryMs = 250;
const prefix = "echo ";

/**
 * What a process says to itself, to know up to when it has heard the others (Bus.hearing).
 *
 * Redis hands a connection what was published on its channels in the order in which it took it. So when the echo that was
 * sent at t is heard, everything that Redis took from anybody before t was handed over here, or the connection was cut in
 * between, which begins a new `sinceMs`. That holds however long the echo was on its way and whatever was held up: a
 * process that stood still, a Redis that did, a socket that is dead in one direction. They all make the proof old.
 */
export class Echo {
  readonly #options: EchoOptions;
  #sinceMs = Number.POSITIVE_INFINITY;
  #toMs = Number.NEGATIVE_INFINITY;
  #heardAtMs = 0;
  #timer: Timer | undefined;

  constructor(options: EchoOptions) {
    this.#options = options;
  }

  /** For how long no echo was heard, since the last `begin`; ms. */
  get silentMs(): number {
    return this.#options.clock.monotonicMs() - this.#heardAtMs;
  }

  get hearing(): Hearing {
    return { sinceMs: Math.max(this.#sinceMs, this.#options.losses.raisedAtMs), toMs: this.#toMs };
  }

  /** This process listens, from now on. */
  begin(): void {
    this.#sinceMs = this.#heardAtMs = this.#options.clock.monotonicMs();
    this.#toMs = Number.NEGATIVE_INFINITY;
    this.#timer?.cancel();
    this.#speak();
  }

  /** It does not listen any more. */
  end(): void {
    this.#sinceMs = Number.POSITIVE_INFINITY;
    this.#timer?.cancel();
  }

  /** Whether `text` is an echo, of whichever process had this name. */
  hear(text: string): boolean {
    if (!text.startsWith(prefix)) return false;
    const [epoch, saidAtMs] = text.slice(prefix.length).split(" ");
    if (epoch !== this.#options.epoch()) return true;
    this.#heardAtMs = this.#options.clock.monotonicMs();
    this.#toMs = Math.max(this.#toMs, Number(saidAtMs));
    return true;
  }

  #speak(): void {
    const { clock, say, epoch } = this.#options;
    // What was not taken shows by the silence.
    say(`${prefix}${epoch()} ${clock.monotonicMs()}`).catch(() => undefined);
    this.#timer = clock.schedule(echoEveryMs, () => this.#speak());
  }
}
