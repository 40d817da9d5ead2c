import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { CliError } from "./cli-error.ts";

/**
 * Has every connection of this process believe the authorities whose certificates are in `file` (PEM), beside those that it
 * believes anyhow. Throws CliError configuration.
 */
export function trustAuthorities(file: string): void {
  const more = authoritiesIn(file);
  setDefaultCACertificates([...getCACertificates("default"), ...more]);
}

/** The certificates in `file`, each by itself (PEM). Throws CliError configuration. */
export function authoritiesIn(file: string): readonly string[] {
  const fix = "Set tls.ca_file to a file with one certificate or more (-----BEGIN CERTIFICATE-----).";
  try {
    return certificatesIn(readFileSync(file, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("configuration", `tls.ca_file cannot be used: ${why}.`, { fix, cause });
  }
}

/** Node itself passes over what it cannot read. */
function certificatesIn(text: string): readonly string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Error("no certificate is in it");
  return found.map((one) => new X509Certificate(one).toString());
}
