import { Connection, saslHandshakeV1 } from "@platformatic/kafka";
import { anySpeaksTls } from "../../base/speaks-tls.ts";
import type { StoreError } from "../../base/store-error.ts";
import { answers, toStoreError, wantsLogIn, wantsTls } from "./errors.ts";
import { clientOptions, type KafkaSettings } from "./settings.ts";

/** The longest that is looked for what the broker would have liked better. */
const withinMsMax = 2_000;

/**
 * What an operator hears of a Kafka that cannot be used. A broker that wants TLS or a log-in hangs up on whoever comes
 * without, and says no more than one that is gone: so it is asked. Never rejects.
 */
export async function explainKafka(cause: unknown, settings: KafkaSettings): Promise<StoreError> {
  const known = toStoreError(cause, settings);
  const { brokers, tls, username, timeoutMs } = settings;
  if (known.kind !== "unreachable") return known;
  const withinMs = Math.min(timeoutMs, withinMsMax);
  if (!tls && (await anySpeaksTls(brokers, withinMs))) return wantsTls(`Kafka at ${brokers}`, cause);
  if (username !== "") return known;
  const asked = brokers.split(",").map((broker) => asksForLogIn({ ...settings, brokers: broker, timeoutMs: withinMs }));
  return (await Promise.all(asked)).includes(true) ? wantsLogIn(`Kafka at ${brokers}`, cause) : known;
}

/** Of one broker. One without log-ins answers the handshake with ILLEGAL_SASL_STATE. */
async function asksForLogIn(settings: KafkaSettings): Promise<boolean> {
  const { bootstrapBrokers, ...options } = clientOptions(settings, "doctor");
  const [broker = ""] = bootstrapBrokers;
  const at = broker.lastIndexOf(":");
  const connection = new Connection(options.clientId, options);
  try {
    await connection.connect(broker.slice(0, at), Number(broker.slice(at + 1)));
    await saslHandshakeV1.api.async(connection, "PLAIN");
    return true;
  } catch (error) {
    return answers(error, "UNSUPPORTED_SASL_MECHANISM");
  } finally {
    await connection.close().catch(() => undefined);
  }
}
