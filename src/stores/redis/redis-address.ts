/** Where a Redis is and how to log in, read from its URL: `redis[s]://[user@]host[:port][/database]`. */
export interface RedisAddress {
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Number of the database, 0 unless the path says otherwise. */
  readonly database: number;
  /** host:port, for people. */
  readonly text: string;
}

/** `password` wins over one in the URL. Throws TypeError for what is no such URL; configuration is checked before. */
export function parseRedisAddress(url: string, password?: string): RedisAddress {
  const { protocol, hostname, port, username, password: inUrl, pathname } = new URL(url);
  const database = Number(pathname.slice(1));
  if (!/^rediss?:$/.test(protocol) || hostname === "" || !Number.isInteger(database) || database < 0) {
    throw new TypeError(`not the URL of a Redis: ${protocol}//${hostname}${pathname}`);
  }
  const host = decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1");
  const portNumber = port === "" ? 6379 : Number(port);
  const secret = password ?? (inUrl === "" ? undefined : decodeURIComponent(inUrl));
  return {
    host,
    port: portNumber,
    tls: protocol === "rediss:",
    username: username === "" ? undefined : decodeURIComponent(username),
    password: secret === "" ? undefined : secret,
    database,
    text: `${hostname}:${portNumber}`,
  };
}
