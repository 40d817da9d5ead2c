import { checkServerIdentity, type ConnectionOptions } from "node:tls";

/**
 * How nodes are spoken to with TLS. The driver knows nodes by their addresses, also those that it was told by name, and
 * learns of further ones from the cluster: so a certificate is taken that names the node's address, or any of the names in
 * `contactPoints` (one certificate for all nodes, say). Whom it has to be signed by is a matter of the process (tls.ca_file).
 */
export function tlsOptions(contactPoints: string): ConnectionOptions {
  const names = contactPoints.split(",").map((point) => point.slice(0, point.lastIndexOf(":")));
  return {
    rejectUnauthorized: true,
    checkServerIdentity(address, certificate) {
      // Of those that do not fit the last one is told: names say more than addresses.
      let objection: Error | undefined;
      for (const name of [address, ...names]) {
        objection = checkServerIdentity(name, certificate);
        if (objection === undefined) return undefined;
      }
      return objection;
    },
  };
}
