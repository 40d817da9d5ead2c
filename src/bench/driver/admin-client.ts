import { z } from "zod";
import type { QueueLevels } from "../servers/server-readings.ts";
import { BenchError } from "./bench-error.ts";
import { HttpClient } from "./http-client.ts";

/** The administrative port of the server under test. */
const usersAnswer = z.object({
  users: z.array(
    z.object({ user_id: z.string(), handle: z.string(), device: z.int().min(1), access_token: z.string().min(1) }),
  ),
});
const memoryAnswer = z.object({ rss_bytes: z.number(), heap_used_bytes: z.number(), collected: z.boolean() });

export interface BulkDevice {
  readonly userId: string;
  readonly handle: string;
  readonly device: number;
  readonly token: string;
}

export interface ServerSample {
  /** Seconds of CPU since the server's start. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly queues: QueueLevels;
}

export class AdminClient {
  readonly #http: HttpClient;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#http = new HttpClient(url, 4, { timeoutMs: 120_000 });
    this.#token = token;
  }

  async createUsers(
    users: readonly { readonly handle: string; readonly display_name: string; readonly devices: number }[],
  ): Promise<readonly BulkDevice[]> {
    const answer = usersAnswer.parse(
      await this.#http.json({ method: "POST", path: "/admin/users", token: this.#token, body: { users } }),
    );
    return answer.users.map((user) => ({
      userId: user.user_id,
      handle: user.handle,
      device: user.device,
      token: user.access_token,
    }));
  }

  async useBenchLimits(): Promise<void> {
    await this.#http.json({ method: "PUT", path: "/admin/limits", token: this.#token, body: { preset: "bench" } });
  }

  /** Resident memory after a garbage collection; undefined when the server cannot collect on demand. */
  async collectedRssBytes(): Promise<number | undefined> {
    const call = { method: "GET", path: "/admin/memory", token: this.#token } as const;
    // What the first collection finalises, the second one frees.
    await this.#http.json(call);
    const memory = memoryAnswer.parse(await this.#http.json(call));
    return memory.collected ? memory.rss_bytes : undefined;
  }

  async sample(): Promise<ServerSample> {
    const text = await this.#http.text("/metrics");
    return {
      cpuSeconds: requiredIn(text, "process_cpu_seconds"),
      rssBytes: requiredIn(text, "process_resident_memory_bytes"),
      queues: queuesIn(text),
    };
  }

  close(): void {
    this.#http.close();
  }
}

/** A metric without labels in Prometheus text. */
function valueIn(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name} (\\S+)$`, "m").exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** What answers without it is no server of ours: a reading of 0 would hold every threshold. */
function requiredIn(text: string, name: string): number {
  const value = valueIn(text, name);
  if (value === undefined) throw new BenchError("failed", `GET /metrics of the administrative port has no ${name}.`);
  return value;
}

/** What a server says of its queues, with the jobs of large groups, wherever these wait. */
function queuesIn(text: string): QueueLevels {
  const levels: Record<"entries" | "bytes", Record<string, number>> = { entries: {}, bytes: {} };
  for (const [, unit, queue = "", value] of text.matchAll(/^msgr_queue_(entries|bytes)\{queue="([^"]+)"\} (\S+)$/gm)) {
    levels[unit as "entries" | "bytes"][queue] = Number(value);
  }
  return { ...levels, entries: { ...levels.entries, fan_out_jobs: valueIn(text, "msgr_fan_out_jobs_waiting") ?? 0 } };
}
