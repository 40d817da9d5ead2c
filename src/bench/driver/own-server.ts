import { startTcpProxy, type TcpProxy } from "../faults/tcp-proxy.ts";
import { AdminClient, type ServerSample } from "./admin-client.ts";
import { type ServerEnd, type ServerOptions, ServerProcess } from "./server-process.ts";

/**
 * One server of a run's own through all of its processes: started again after a crash, or killed and paused on purpose. One
 * that ends without having been told to is noticed. With a front, clients keep one address: a proxy that knows where the
 * process of the moment is.
 *
 *   running → dead (kill) → running (start) | paused (pause) → running (resume) | died (by itself)
 */
export interface OwnServerOptions extends ServerOptions {
  /** `server-1`. */
  readonly name: string;
  readonly isFronted: boolean;
}

export class OwnServer {
  readonly name: string;
  /** Undefined: clients reach the process itself. */
  readonly front: TcpProxy | undefined;
  readonly #options: OwnServerOptions;
  #process: ServerProcess;
  #admin: AdminClient;
  #died: ServerEnd | undefined;
  #expectsEnd = false;
  #isDown = false;
  /** CPU time of the processes before this one. */
  #formerCpuSeconds = 0;
  #lastCpuSeconds = 0;

  private constructor(options: OwnServerOptions, front: TcpProxy | undefined, process: ServerProcess) {
    this.name = options.name;
    this.#options = options;
    this.front = front;
    this.#process = process;
    this.#admin = new AdminClient(process.adminUrl, process.adminToken);
    this.#watch(process);
  }

  static async start(options: OwnServerOptions): Promise<OwnServer> {
    const process = await ServerProcess.start(options);
    try {
      const front = options.isFronted ? await startTcpProxy(new URL(process.url).host) : undefined;
      return new OwnServer(options, front, process);
    } catch (error) {
      await process.stop();
      throw error;
    }
  }

  /** As clients reach it. */
  get url(): string {
    return this.front === undefined ? this.#process.url : `http://${this.front.address}`;
  }

  get admin(): AdminClient {
    return this.#admin;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** How it ended without having been asked to. */
  get died(): ServerEnd | undefined {
    return this.#died;
  }

  /** CPU of all of its processes, memory of this one; undefined while it is down or does not answer. */
  async sample(): Promise<ServerSample | undefined> {
    if (this.#isDown) return undefined;
    const asked = this.#process;
    try {
      const { cpuSeconds, rssBytes, queues } = await this.#admin.sample();
      // An answer that comes when the process was replaced already is the old one's.
      if (asked !== this.#process) return undefined;
      this.#lastCpuSeconds = cpuSeconds;
      return { cpuSeconds: this.#formerCpuSeconds + cpuSeconds, rssBytes, queues };
    } catch {
      // Whether it is still there is found out elsewhere.
      return undefined;
    }
  }

  async kill(): Promise<void> {
    this.#leave();
    await this.#process.kill();
  }

  /** After `kill`: a new process on the same data. */
  async start(): Promise<void> {
    this.#formerCpuSeconds += this.#lastCpuSeconds;
    this.#lastCpuSeconds = 0;
    this.#process = await ServerProcess.start(this.#options);
    this.#admin = new AdminClient(this.#process.adminUrl, this.#process.adminToken);
    this.front?.retarget(new URL(this.#process.url).host);
    this.#expectsEnd = false;
    this.#isDown = false;
    this.#watch(this.#process);
  }

  pause(): void {
    this.#isDown = true;
    this.#process.signal("SIGSTOP");
  }

  resume(): void {
    this.#process.signal("SIGCONT");
    this.#isDown = false;
  }

  /** Ends its process, politely, and starts one on its data. */
  async restart(): Promise<void> {
    this.#leave();
    await this.#process.stop();
    await this.start();
  }

  async close(): Promise<void> {
    this.#leave();
    this.#process.signal("SIGCONT");
    await this.#process.stop();
    await this.front?.[Symbol.asyncDispose]();
  }

  #leave(): void {
    this.#expectsEnd = true;
    this.#isDown = true;
    this.#admin.close();
    this.front?.retarget(undefined);
  }

  #watch(process: ServerProcess): void {
    const note = async (): Promise<void> => {
      const end = await process.ended;
      if (!this.#expectsEnd) this.#died ??= end;
    };
    void note();
  }
}
