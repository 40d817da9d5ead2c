import { z } from "zod";
import { logLevels } from "../../base/logger.ts";
import { ratePresetNames } from "../rate-rules.ts";

/**
 * Every setting of a server: what it means, what is allowed and what it is when nobody says anything. Keys are written
 * `section.key` here, `section: {key: …}` in msgr.yaml and MSGR_SECTION__KEY in the environment.
 */
const port = z.int().min(0).max(65_535);

const addresses = z.string().regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, "write host:port, separated by commas");
const addressesOrNone = z.string().regex(/^([^\s,:]+:\d+(,[^\s,:]+:\d+)*)?$/, "write host:port, separated by commas");

export const profileNames = ["embedded", "cluster"] as const;

const saslMechanisms = ["scram-sha-512", "scram-sha-256", "plain"] as const;

export const configSchema = z.strictObject({
  profile: z
    .enum(profileNames)
    .default("embedded")
    .describe("embedded = everything in this process and data.directory; cluster = the stores below"),
  node: z.strictObject({
    name: z.string().max(64).default("").describe("Name of this process in WELCOME and logs; empty = a random one"),
  }),
  http: z.strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Address that clients reach; 0.0.0.0 or :: = every one"),
    port: port.default(8080).describe("Port for /ws and /api; 0 = any free one"),
    connections_max: z.int().min(1).max(1_000_000).default(20_000).describe("WebSockets held at once"),
    proxies_trusted: z
      .int()
      .min(0)
      .max(8)
      .default(0)
      .describe("Proxies in front, one behind the other, whose X-Forwarded-For names clients for rate limits"),
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
  tls: z.strictObject({
    ca_file: z
      .string()
      .min(1)
      .optional()
      .describe("Certificates (PEM) of authorities that stores are believed by, beside those of this machine"),
  }),
  cassandra: z.strictObject({
    contact_points: addresses
      .default("127.0.0.1:9042")
      .describe("Nodes to ask first, host:port, separated by commas; all listen on the first one's port"),
    datacenter: z.string().min(1).default("dc1").describe("Data centre of this process; no other is asked"),
    keyspace: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,47}$/, "lower-case letters, digits and _, at most 48")
      .default("msgr")
      .describe("Keyspace of messages, chat lists and receipts"),
    replication_factor: z
      .int()
      .min(1)
      .max(7)
      .default(3)
      .describe("Copies in the data centre; used when `msgr migrate` makes the keyspace"),
    tls: z.boolean().default(false).describe("Speak TLS to the nodes; their certificates are checked"),
    username: z.string().default("").describe("Empty = no log-in"),
    password: z.string().optional().describe("Secret of cassandra.username"),
    password_file: z.string().min(1).optional().describe("File whose first line is cassandra.password"),
    in_flight_max: z.int().min(1).max(4096).default(256).describe("Statements under way at once; more wait"),
    timeout_ms: z
      .int()
      .min(100)
      .max(60_000)
      .default(5_000)
      .describe("A statement without an answer is given up after this"),
  }),
  postgres: z.strictObject({
    url: z
      .url({ protocol: /^postgres(ql)?$/ })
      .default("postgres://msgr@127.0.0.1:5432/msgr")
      .describe("Server and database of accounts, groups and sessions; no password here"),
    password: z.string().optional().describe("Secret of the user in postgres.url"),
    password_file: z.string().min(1).optional().describe("File whose first line is postgres.password"),
    connections_max: z.int().min(1).max(500).default(10).describe("Connections of this process to PostgreSQL"),
    timeout_ms: z
      .int()
      .min(100)
      .max(60_000)
      .default(5_000)
      .describe("A statement without an answer is given up after this"),
  }),
  redis: z.strictObject({
    url: z
      .url({ protocol: /^rediss?$/ })
      .default("redis://127.0.0.1:6379")
      .describe("Server of presence, connections, typing, limits and delivery between processes; no password here"),
    password: z.string().optional().describe("Secret of redis.url"),
    password_file: z.string().min(1).optional().describe("File whose first line is redis.password"),
    key_prefix: z
      .string()
      .max(32)
      .default("")
      .describe("Put before every key and channel, so that several clusters share one server"),
    presence_mode: z
      .enum(["lease", "literal"])
      .default("lease")
      .describe("literal = every heartbeat is written; lease = the process holds presence for its connections"),
    timeout_ms: z
      .int()
      .min(50)
      .max(60_000)
      .default(2_000)
      .describe("A command without an answer is given up after this"),
  }),
  s3: z.strictObject({
    endpoint: z
      .url({ protocol: /^https?$/ })
      .default("http://127.0.0.1:9000")
      .describe("S3 server that keeps media; clients must reach it too"),
    region: z.string().min(1).default("us-east-1").describe("Region to sign for"),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{2,62}$/)
      .default("msgr-media")
      .describe("Bucket of media"),
    access_key_id: z.string().default("").describe("Empty = what the machine's own identity gives"),
    secret_access_key: z.string().optional().describe("Secret of s3.access_key_id"),
    secret_access_key_file: z.string().min(1).optional().describe("File whose first line is s3.secret_access_key"),
    timeout_ms: z
      .int()
      .min(100)
      .max(120_000)
      .default(10_000)
      .describe("A request without an answer is given up after this"),
  }),
  kafka: z.strictObject({
    brokers: addressesOrNone
      .default("")
      .describe(
        "Brokers to ask first, host:port, separated by commas; empty = no Kafka, and no groups of 500 and more",
      ),
    tls: z.boolean().default(false).describe("Speak TLS to the brokers; their certificates are checked"),
    username: z.string().default("").describe("Empty = no log-in"),
    password: z.string().optional().describe("Secret of kafka.username"),
    password_file: z.string().min(1).optional().describe("File whose first line is kafka.password"),
    sasl_mechanism: z
      .enum(saslMechanisms)
      .default("scram-sha-512")
      .describe("How kafka.username logs in; plain sends the password as it is"),
    topic_prefix: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{0,64}$/, "letters, digits, dot, _ and -, at most 64")
      .default("")
      .describe("Put before the names of the topic and the group, so that several deployments share one Kafka"),
    replication_factor: z
      .int()
      .min(1)
      .max(7)
      .default(3)
      .describe("Copies of every job of a large group; used when the first server makes the topic"),
    timeout_ms: z
      .int()
      .min(100)
      .max(60_000)
      .default(5_000)
      .describe("A request without an answer is given up after this"),
  }),
  media: z
    .strictObject({
      url_ttl_seconds: z
        .int()
        .min(10)
        .max(604_800)
        .default(3_600)
        .describe("Time for which signed upload and download addresses hold"),
      orphan_hours: z
        .number()
        .min(0.001)
        .max(8_760)
        .default(24)
        .describe("Media that no message refers to is deleted after this"),
      public_url: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          "Address of this server as clients see it, for media addresses of the embedded profile; default: what the request was sent to",
        ),
      cdn_url: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe("Cache from which clients of the cluster profile read media; default: straight from s3.endpoint"),
      signing_key: z
        .string()
        .min(32)
        .optional()
        .describe("Secret by which addresses at media.cdn_url are signed; the same for every server"),
      signing_key_file: z.string().min(1).optional().describe("File whose first line is media.signing_key"),
    })
    .refine((media) => media.cdn_url === undefined || (media.signing_key ?? media.signing_key_file) !== undefined, {
      path: ["signing_key"],
      message: "media.cdn_url wants one (`openssl rand -hex 32` makes one)",
    }),
  stack: z.strictObject({
    directory: z
      .string()
      .min(1)
      .optional()
      .describe("Folder of `msgr stack`; default: msgr/stack in the user's state folder"),
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
  /** `section.key`, or a key of its own (`profile`). */
  readonly path: string;
  readonly type: "number" | "boolean" | "string";
  readonly schema: z.ZodType;
  readonly description: string;
  readonly secret: boolean;
}

const secretPaths: ReadonlySet<string> = new Set([
  "admin.token",
  "cassandra.password",
  "kafka.password",
  "postgres.password",
  "redis.password",
  "s3.secret_access_key",
  "media.signing_key",
]);

export const settings: readonly Setting[] = Object.entries(configSchema.shape).flatMap(([name, schema]) =>
  schema instanceof z.ZodObject
    ? Object.entries(schema.shape as Record<string, z.ZodType>).map(([key, inner]) =>
        settingOf(`${name}.${key}`, inner),
      )
    : [settingOf(name, schema)],
);

export function environmentName(path: string): string {
  return `MSGR_${path.replace(".", "__").toUpperCase()}`;
}

/** The value of a setting in a configuration. */
export function settingValue(config: Config, path: string): unknown {
  const [section, key] = path.split(".") as [keyof Config, string | undefined];
  return key === undefined ? config[section] : (config[section] as Record<string, unknown>)[key];
}

function settingOf(path: string, schema: z.ZodType): Setting {
  return { path, type: typeOf(schema), schema, description: schema.description ?? "", secret: secretPaths.has(path) };
}

function typeOf(schema: z.ZodType): Setting["type"] {
  let inner: z.ZodType = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) inner = inner.unwrap() as z.ZodType;
  if (inner instanceof z.ZodNumber) return "number";
  return inner instanceof z.ZodBoolean ? "boolean" : "string";
}
