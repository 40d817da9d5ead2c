import { rmSync } from "node:fs";
import { AdminClient, type ServerSample } from "./admin-client.ts";
import { makeDataFolder, type DataFolder } from "./data-folder.ts";
import { probeDurableWriteUs } from "./durable-write.ts";
import { ServerProcess, type ServerEnd } from "./server-process.ts";

/**
 * The server under test: one of our own, started for the run on a new folder, or one that runs elsewhere. An own server
 * that dies is noticed, and can be started again on its data to see what it kept.
 */
export interface GivenTarget {
  readonly url: string;
  readonly adminUrl: string;
  readonly adminToken: string;
}

export interface TargetOptions {
  /** Undefined: start one. */
  readonly given: GivenTarget | undefined;
  /** Folders in which the data may be, best first. */
  readonly dataParents: readonly string[];
  readonly connections: number;
  /** Undefined: the embedded profile. Otherwise where the stores of the cluster profile are (variables of `msgr serve`). */
  readonly stores: Readonly<Record<string, string>> | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly nodeFlags: readonly string[];
}

export interface TimedSample extends ServerSample {
  /** Monotonic ms. */
  readonly atMs: number;
}

export class Target {
  readonly folder: DataFolder | undefined;
  /** Of the folder's disk, before the server had it. */
  readonly durableWriteUs: number | undefined;
  readonly samples: TimedSample[] = [];
  readonly #options: TargetOptions;
  #server: ServerProcess | undefined;
  #admin: AdminClient;
  #died: ServerEnd | undefined;
  #expectEnd = false;

  private constructor(
    options: TargetOptions,
    folder: DataFolder | undefined,
    durableWriteUs: number | undefined,
    server: ServerProcess | undefined,
    admin: AdminClient,
  ) {
    this.#options = options;
    this.folder = folder;
    this.durableWriteUs = durableWriteUs;
    this.#server = server;
    this.#admin = admin;
    if (server !== undefined) this.#watch(server);
  }

  static async open(options: TargetOptions): Promise<Target> {
    const { given } = options;
    if (given !== undefined) {
      const admin = new AdminClient(given.adminUrl, given.adminToken);
      await admin.useBenchLimits();
      return new Target(options, undefined, undefined, undefined, admin);
    }
    const folder = makeDataFolder(options.dataParents);
    try {
      // What the disks of the stores are like cannot be seen from here.
      const durableWriteUs = options.stores === undefined ? probeDurableWriteUs(folder.path) : undefined;
      const server = await startIn(folder, options);
      return new Target(options, folder, durableWriteUs, server, new AdminClient(server.adminUrl, server.adminToken));
    } catch (error) {
      rmSync(folder.path, { recursive: true, force: true });
      throw error;
    }
  }

  get url(): string {
    return this.#server?.url ?? (this.#options.given as GivenTarget).url;
  }

  get admin(): AdminClient {
    return this.#admin;
  }

  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** How an own server ended without having been asked to. */
  get died(): ServerEnd | undefined {
    return this.#died;
  }

  /** Takes a sample of CPU and memory; a server that does not answer has none. */
  async sample(nowMs: () => number): Promise<void> {
    try {
      const sample = await this.#admin.sample();
      this.samples.push({ ...sample, atMs: nowMs() });
    } catch {
      // Whether it is still there is found out elsewhere.
    }
  }

  /**
   * The data of an own server under a new process: to see what a dead one kept, or to have one that remembers nothing of
   * the preparations. Its addresses are new.
   */
  async restart(): Promise<void> {
    const server = this.#server;
    if (server === undefined || this.folder === undefined) return;
    this.#expectEnd = true;
    this.#admin.close();
    await server.stop();
    this.#server = await startIn(this.folder, this.#options);
    this.#admin = new AdminClient(this.#server.adminUrl, this.#server.adminToken);
    this.#expectEnd = false;
    this.#watch(this.#server);
  }

  /** Stops an own server; its data goes unless it is to be kept. */
  async close(keepData: boolean): Promise<void> {
    this.#expectEnd = true;
    this.#admin.close();
    await this.#server?.stop();
    if (this.folder !== undefined && !keepData) rmSync(this.folder.path, { recursive: true, force: true });
  }

  #watch(server: ServerProcess): void {
    const note = async (): Promise<void> => {
      const end = await server.ended;
      if (!this.#expectEnd) this.#died ??= end;
    };
    void note();
  }
}

function startIn(folder: DataFolder, options: TargetOptions): Promise<ServerProcess> {
  const connectionsMax = Math.max(20_000, options.connections + 1_000);
  const { stores, environment, nodeFlags } = options;
  return ServerProcess.start({ folder: folder.path, connectionsMax, stores, environment, nodeFlags });
}
