import { z } from "zod";
import { logLevels } from "../../base/logger.ts";
import { ratePresetNames } from "../rate-rules.ts";

/**
 * Every setting of a server: what it means, what is allowed and what it is when nobody says anything. Keys are written
 * `section.key` here, `section: {key: …}` in msgr.yaml and MSGR_SECTION__KEY in the environment.
 */
const port = z.int().min(0).max(65_535);

export const configSchema = z.strictObject({
  node: z.strictObject({
    name: z.string().max(64).default("").describe("Name of this process in WELCOME and logs; empty = a random one"),
  }),
  http: z.strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Address that clients reach; 0.0.0.0 or :: = every one"),
    port: port.default(8080).describe("Port for /ws and /api; 0 = any free one"),
    connections_max: z.int().min(1).max(1_000_000).default(20_000).describe("WebSockets held at once"),
  }),
  admin: z.strictObject({
    enabled: z.boolean().default(false).describe("Open the administrative port (/livez /readyz /metrics /admin)"),
    host: z.string().min(1).default("127.0.0.1").describe("Address of the administrative port; keep it private"),
    port: port.default(8081).describe("Administrative port; 0 = any free one"),
    token: z.string().min(16).optional().describe("Secret for /admin and /debug; without one they are off"),
    token_file: z.string().min(1).optional().describe("File whose first line is admin.token"),
  }),
  data: z.strictObject({
    directory: z.string().min(1).default("./msgr-data").describe("Folder of everything durable"),
    size_bytes_max: z
      .int()
      .min(4 * 1024 * 1024)
      .default(64 * 1024 ** 3)
      .describe("Bound on the size of the data; sends are refused with storage_full beyond it"),
  }),
  limits: z.strictObject({
    preset: z.enum(ratePresetNames).default("default").describe("Rate limits: default, bench (for load tests) or off"),
  }),
  drain: z.strictObject({
    spread_ms: z
      .int()
      .min(0)
      .max(600_000)
      .default(30_000)
      .describe("Time over which clients are asked to leave when the server stops"),
  }),
  client: z.strictObject({
    server_url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Server that `msgr login` and `msgr chat` talk to when no account says otherwise"),
  }),
  log: z.strictObject({
    level: z.enum(logLevels).default("info").describe("Least severe level that is logged"),
    format: z.enum(["auto", "json", "pretty"]).default("auto").describe("auto = pretty on a terminal, else JSON lines"),
  }),
});

export type Config = z.infer<typeof configSchema>;

/** A setting, with what its words on the command line or in the environment have to become. */
export interface Setting {
  /** `section.key`. */
  readonly path: string;
  readonly type: "number" | "boolean" | "string";
  readonly schema: z.ZodType;
  readonly description: string;
  readonly secret: boolean;
}

const secretPaths = new Set(["admin.token"]);

export const settings: readonly Setting[] = Object.entries(configSchema.shape).flatMap(([section, shape]) =>
  Object.entries(shape.shape as Record<string, z.ZodType>).map(([key, schema]) => ({
    path: `${section}.${key}`,
    type: typeOf(schema),
    schema,
    description: schema.description ?? "",
    secret: secretPaths.has(`${section}.${key}`),
  })),
);

export function environmentName(path: string): string {
  return `MSGR_${path.replace(".", "__").toUpperCase()}`;
}

function typeOf(schema: z.ZodType): Setting["type"] {
  let inner: z.ZodType = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) inner = inner.unwrap() as z.ZodType;
  if (inner instanceof z.ZodNumber) return "number";
  return inner instanceof z.ZodBoolean ? "boolean" : "string";
}
