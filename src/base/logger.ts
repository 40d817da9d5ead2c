import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";

/**
 * What happened, as JSON lines (pino) or, for eyes, as plain lines. Events are short sentences; whatever varies is a
 * field. Never a message body, an envelope, a token or a key.
 */
export interface Logger {
  debug(fields: LogFields, event: string): void;
  info(fields: LogFields, event: string): void;
  warn(fields: LogFields, event: string): void;
  error(fields: LogFields, event: string): void;
  /** `trace` … `fatal`, or `silent`. May change while the process runs. */
  setLevel(level: LogLevel): void;
  /** Resolves when everything logged so far was given to the destination. */
  flush(): void;
}

export type LogFields = Readonly<Record<string, unknown>>;
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: "json" | "pretty";
  readonly destination: { write(text: string): void };
  /** Fields of every line. */
  readonly base?: LogFields;
}

export function createLogger(options: LoggerOptions): Logger {
  const stream: DestinationStream = options.format === "json" ? options.destination : prettyStream(options.destination);
  const logger = pino(
    {
      level: options.level,
      base: options.base ?? null,
      serializers: { err: pino.stdSerializers.err, cause: pino.stdSerializers.err },
      redact: { paths: ["token", "*.token", "password", "*.password", "envelope", "*.envelope"], censor: "[hidden]" },
    },
    stream,
  );
  return wrap(logger);
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (fields, event) => logger.debug(fields, event),
    info: (fields, event) => logger.info(fields, event),
    warn: (fields, event) => logger.warn(fields, event),
    error: (fields, event) => logger.error(fields, event),
    setLevel: (level) => {
      logger.level = level;
    },
    flush: () => logger.flush(),
  };
}

const levelNames: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** `12:30:01.123 warn  Sentence  field=value`, with the stack of an error below. */
function prettyStream(destination: { write(text: string): void }): DestinationStream {
  return {
    write(line) {
      const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const stacks: string[] = [];
      const words = Object.entries(fields).map(([name, value]) => {
        if (typeof value === "object" && value !== null && "stack" in value) {
          stacks.push(String(value.stack));
          return `${name}=${JSON.stringify((value as { message?: unknown }).message)}`;
        }
        return `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`;
      });
      const clock = new Date(Number(time)).toISOString().slice(11, 23);
      const name = (levelNames[Number(level)] ?? "info").padEnd(5);
      const head = [clock, name, String(msg), ...words].join(" ");
      destination.write([head, ...stacks.map((stack) => stack.replaceAll(/^/gm, "    "))].join("\n") + "\n");
    },
  };
}
