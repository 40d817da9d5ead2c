import { readFileSync } from "node:fs";
import path from "node:path";
import { replaceFile } from "./files/replace-file.ts";

/** Made up once for a folder, because its data was made with them. Mode 0600. */
export interface StackSecrets {
  readonly postgresPassword: string;
  readonly s3AccessKeyId: string;
  readonly s3SecretAccessKey: string;
  /** Signs addresses of media. */
  readonly mediaSigningKey: string;
  /** Of the servers' administrative ports. */
  readonly adminToken: string;
}

const secretsName = "secrets.json";

/** `makeUp` answers so many random bytes as lower-case hex digits. */
export function obtainSecrets(directory: string, makeUp: (bytes: number) => string): StackSecrets {
  const file = path.join(directory, secretsName);
  const known = readSecrets(file);
  const secrets = {
    postgresPassword: makeUp(16),
    s3AccessKeyId: `msgr${makeUp(8)}`,
    s3SecretAccessKey: makeUp(20),
    mediaSigningKey: makeUp(32),
    adminToken: makeUp(24),
    // A folder of an earlier version has fewer of them.
    ...known,
  };
  if (known !== undefined && Object.keys(known).length === Object.keys(secrets).length) return secrets;
  replaceFile(file, `${JSON.stringify(secrets)}\n`);
  return secrets;
}

function readSecrets(file: string): Partial<StackSecrets> | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Partial<StackSecrets>;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
