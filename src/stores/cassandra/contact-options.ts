import type { ClientOptions } from "cassandra-driver";

/**
 * Where the driver looks for nodes. Nodes tell it of one another by address, without a port: it takes `protocolOptions.port`
 * for those, 9042 unless told. Nodes on another port were known and never reached then: the one that answered first did all
 * the work, and when it was away, so was Cassandra. All nodes have to listen on the port of the first one.
 */
export function contactOptions(contactPoints: string): Pick<ClientOptions, "contactPoints" | "protocolOptions"> {
  const points = contactPoints.split(",");
  const [, port] = /:(\d+)$/.exec(points[0] ?? "") ?? [];
  return { contactPoints: points, ...(port === undefined ? {} : { protocolOptions: { port: Number(port) } }) };
}
