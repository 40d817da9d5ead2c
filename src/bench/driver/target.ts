import { rmSync } from "node:fs";
import path from "node:path";
import { startTcpProxy, type TcpProxy } from "../faults/tcp-proxy.ts";
import { ServerReadings } from "../servers/server-readings.ts";
import { AdminClient, type ServerSample } from "./admin-client.ts";
import type { DataFolder } from "./data-folder.ts";
import { probeDurableWriteUs } from "./durable-write.ts";
import { OwnServer } from "./own-server.ts";
import { sampleProcess } from "./process-sample.ts";
import type { ServerEnd } from "./server-process.ts";

/**
 * The servers under test: some of our own, started for the run on a new folder, or one that runs elsewhere. An own server
 * that dies is noticed, and can be started again on its data to see what it kept.
 */
export interface GivenTarget {
  readonly url: string;
  readonly adminUrl: string;
  readonly adminToken: string;
}

export interface TargetOptions {
  /** Undefined: start some. */
  readonly given: GivenTarget | undefined;
  /** Of the run; what is in it is the caller's to remove. */
  readonly folder: DataFolder | undefined;
  /** How many to start. */
  readonly servers: number;
  /** Clients reach them through proxies. */
  readonly isFronted: boolean;
  readonly connections: number;
  /** Undefined: the embedded profile. Otherwise where the stores of the cluster profile are (variables of `msgr serve`). */
  readonly stores: Readonly<Record<string, string>> | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly nodeFlags: readonly string[];
}

/** Of several servers: CPU of all, memory of the largest. */
export interface TimedSample extends Omit<ServerSample, "queues"> {
  /** Monotonic ms. */
  readonly atMs: number;
}

export class Target {
  /** Of the folder's disk, before the server had it. */
  readonly durableWriteUs: number | undefined;
  readonly servers: readonly OwnServer[];
  readonly samples: TimedSample[] = [];
  /** Of each server by itself. */
  readonly readings = new ServerReadings();
  readonly #givenAdmin: AdminClient | undefined;
  readonly #given: GivenTarget | undefined;
  /** Before a given server. */
  readonly #givenFront: TcpProxy | undefined;

  private constructor(parts: {
    readonly given: GivenTarget | undefined;
    readonly givenAdmin: AdminClient | undefined;
    readonly givenFront: TcpProxy | undefined;
    readonly servers: readonly OwnServer[];
    readonly durableWriteUs: number | undefined;
  }) {
    this.#given = parts.given;
    this.#givenAdmin = parts.givenAdmin;
    this.#givenFront = parts.givenFront;
    this.servers = parts.servers;
    this.durableWriteUs = parts.durableWriteUs;
  }

  static async open(options: TargetOptions): Promise<Target> {
    const { given, folder } = options;
    if (given !== undefined) {
      const givenAdmin = new AdminClient(given.adminUrl, given.adminToken);
      await givenAdmin.useBenchLimits();
      const givenFront = options.isFronted ? await startTcpProxy(hostOf(given.url)) : undefined;
      return new Target({ given, givenAdmin, givenFront, servers: [], durableWriteUs: undefined });
    }
    const parent = (folder as DataFolder).path;
    // What the disks of the stores are like cannot be seen from here.
    const durableWriteUs = options.stores === undefined ? probeDurableWriteUs(parent) : undefined;
    const servers = await startServers(parent, options);
    return new Target({ given, givenAdmin: undefined, givenFront: undefined, servers, durableWriteUs });
  }

  /** As clients reach them. */
  get urls(): readonly string[] {
    if (this.#given === undefined) return this.servers.map(({ url }) => url);
    return [this.#givenFront === undefined ? this.#given.url : `http://${this.#givenFront.address}`];
  }

  get url(): string {
    return this.urls[0] as string;
  }

  /** Between the clients and the servers, by server. */
  get fronts(): readonly TcpProxy[] {
    return [this.#givenFront, ...this.servers.map(({ front }) => front)].filter((front) => front !== undefined);
  }

  get admin(): AdminClient {
    return this.#givenAdmin ?? (this.servers[0] as OwnServer).admin;
  }

  get pids(): readonly number[] {
    return this.servers.map(({ pid }) => pid);
  }

  /** How the first own server that ended without having been asked to did so. */
  get died(): ServerEnd | undefined {
    return this.servers.find(({ died }) => died !== undefined)?.died;
  }

  /** As results name them. */
  get names(): readonly string[] {
    return this.#given === undefined ? this.servers.map(({ name }) => name) : ["server"];
  }

  /** Memory of own servers as the system tells it, whether they answer or not. */
  sampleMemory(atMs: number): void {
    for (const { name, pid } of this.servers) {
      this.readings.noteMemory(name, pid, atMs, sampleProcess(pid)?.rssBytes ?? 0);
    }
  }

  /** Takes a sample of CPU, memory and queues; when one of them does not answer there is none of all together. */
  async sample(nowMs: () => number): Promise<void> {
    const samples =
      this.#givenAdmin === undefined
        ? await Promise.all(this.servers.map((server) => server.sample()))
        : [await this.#givenAdmin.sample().catch(() => undefined)];
    this.#noteReadings(samples, nowMs());
    let [cpuSeconds, rssBytes] = [0, 0];
    for (const sample of samples) {
      if (sample === undefined) return;
      cpuSeconds += sample.cpuSeconds;
      rssBytes = Math.max(rssBytes, sample.rssBytes);
    }
    this.samples.push({ cpuSeconds, rssBytes, atMs: nowMs() });
  }

  #noteReadings(samples: readonly (ServerSample | undefined)[], atMs: number): void {
    samples.forEach((sample, index) => {
      if (sample === undefined) return;
      const [name, pid] = [this.names[index] as string, this.servers[index]?.pid ?? 0];
      this.readings.noteMemory(name, pid, atMs, sample.rssBytes);
      this.readings.noteQueues(name, pid, atMs, sample.queues);
    });
  }

  /**
   * The data of own servers under new processes: to see what a dead one kept, or to have one that remembers nothing of
   * the preparations. Without fronts their addresses are new.
   */
  async restart(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.restart()));
  }

  /** Stops own servers. */
  async close(): Promise<void> {
    this.#givenAdmin?.close();
    await this.#givenFront?.[Symbol.asyncDispose]();
    await Promise.all(this.servers.map((server) => server.close()));
  }
}

/** One after the other, since each looks whether the schema is there; all or none. */
async function startServers(parent: string, options: TargetOptions): Promise<readonly OwnServer[]> {
  const { stores, environment, nodeFlags, isFronted } = options;
  const connectionsMax = Math.max(20_000, options.connections + 1_000);
  const servers: OwnServer[] = [];
  try {
    for (let number = 1; number <= options.servers; number++) {
      const name = `server-${number}`;
      const folder = path.join(parent, name);
      servers.push(await OwnServer.start({ name, isFronted, folder, connectionsMax, stores, environment, nodeFlags }));
    }
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
}

function hostOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === "" ? "80" : port}`;
}

/** Removes what a run had; without harm when it is gone. */
export function removeFolder(folder: DataFolder): void {
  rmSync(folder.path, { recursive: true, force: true });
}
