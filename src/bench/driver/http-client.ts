import { Agent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { isUntrusted, untrustedFix } from "../../base/untrusted.ts";
import { BenchError } from "./bench-error.ts";

/**
 * JSON over HTTP to one server, on a few connections that stay open: for provisioning and for reading the logs back.
 * node:http rather than fetch, since reading a million rows back takes half the time.
 */
export interface JsonRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
}

export interface HttpClientOptions {
  readonly timeoutMs?: number;
  /** What is answered with 503 is asked again for so long. */
  readonly patienceMs?: number;
}

const againAfterMs = 250;

export class HttpClient {
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #timeoutMs: number;
  readonly #patienceMs: number;

  /** `url` with http:// or https://; its path is ignored. */
  constructor(url: string, connections: number, { timeoutMs = 60_000, patienceMs = 0 }: HttpClientOptions = {}) {
    this.#url = new URL(url);
    const agents = { keepAlive: true, maxSockets: connections };
    this.#agent = this.#url.protocol === "https:" ? new HttpsAgent(agents) : new Agent(agents);
    this.#timeoutMs = timeoutMs;
    this.#patienceMs = patienceMs;
  }

  /** The document of a successful answer; undefined for an empty one. Rejects with BenchError. */
  async json(call: JsonRequest): Promise<unknown> {
    const { status, text } = await this.#patiently(call).catch((error: unknown) => Promise.reject(this.#lost(error)));
    if (status >= 200 && status < 300) return text === "" ? undefined : (JSON.parse(text) as unknown);
    throw new BenchError("failed", `${call.method} ${call.path.split("?", 1)[0]}: ${status} ${text.slice(0, 300)}`);
  }

  async text(path: string): Promise<string> {
    const call = { method: "GET", path, token: "" } as const;
    return (await this.#exchange(call).catch((error: unknown) => Promise.reject(this.#lost(error)))).text;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #patiently(call: JsonRequest): Promise<{ status: number; text: string }> {
    const untilMs = performance.now() + this.#patienceMs;
    for (;;) {
      const answer = await this.#exchange(call);
      if (answer.status !== 503 || performance.now() >= untilMs) return answer;
      await sleep(againAfterMs);
    }
  }

  #exchange(call: JsonRequest): Promise<{ status: number; text: string }> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const secure = this.#url.protocol === "https:";
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(
        new URL(call.path, this.#url),
        {
          method: call.method,
          agent: this.#agent,
          timeout: this.#timeoutMs,
          headers: {
            authorization: `Bearer ${call.token}`,
            ...(body === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      request.on("timeout", () => request.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)));
      request.on("error", reject);
      request.end(body);
    });
  }

  #lost(error: unknown): BenchError {
    const reason = error instanceof Error ? error.message : String(error);
    if (isUntrusted(error)) {
      const what = `${this.#url.origin} shows a certificate that is not trusted: ${reason}`;
      return new BenchError("configuration", what, untrustedFix, error);
    }
    return new BenchError(
      "unreachable",
      `${this.#url.origin} cannot be reached: ${reason}`,
      "Check that the server runs and that the address is right.",
      error,
    );
  }
}
