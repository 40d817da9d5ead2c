/** Codes of Node and OpenSSL for a certificate that proves nothing: nobody known signed it, it is for another name, or out of date. */
export const untrustedCodes: readonly string[] = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
];

export const untrustedFix =
  "Set tls.ca_file to the certificate of the authority that signed it, and the address to a name that stands in it.";

export function isUntrusted(error: unknown): boolean {
  return error instanceof Error && "code" in error && untrustedCodes.some((code) => code === error.code);
}
