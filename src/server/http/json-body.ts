import type { FastifyInstance } from "fastify";
import { scanJson } from "../../protocol/json-scan.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Bodies are JSON, and as strict as frames are: no key twice, no `__proto__`, no lone surrogates, bounded nesting. Any
 * other content type is refused. An empty body is as good as none, since some clients name a type without sending one.
 */
export function installJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  let text: string;
  try {
    text = decoder.decode(body);
  } catch (cause) {
    throw new WireError("bad_request", { detail: "body: not UTF-8", cause });
  }
  const problem = scanJson(text, limits.jsonDepthMax);
  if (problem !== undefined) throw new WireError("bad_request", { detail: `body: ${problem}` });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WireError("bad_request", { detail: "body: not JSON", cause });
  }
}
