import { describe, expect, it } from "vitest";
import { partNames } from "../versions.ts";
import { cassandraConfig } from "./cassandra-config.ts";
import { cassandraArguments, cassandraRecipe } from "./cassandra.ts";
import { clusterIdOf, kafkaConfig } from "./kafka.ts";
import { logbackConfig } from "./logback-config.ts";
import { nginxConfig, nginxRecipe } from "./nginx.ts";
import { accountIn, runAs } from "./postgres-account.ts";
import { initdbArguments, postgresArguments } from "./postgres.ts";
import { baseEnvironment } from "./recipe.ts";
import { recipes } from "./recipes.ts";
import { redisArguments } from "./redis.ts";
import { s3Config } from "./s3.ts";
import { serverArguments, serverEnvironment } from "./server.ts";

const secrets = {
  postgresPassword: "p",
  s3AccessKeyId: "key",
  s3SecretAccessKey: "secret",
  mediaSigningKey: "signing",
  adminToken: "token",
};

describe("Cassandra", () => {
  it("is configured for durable writes, on its own address, behind the first node", () => {
    const text = cassandraConfig({
      host: "127.0.0.2",
      nativePort: 9043,
      storagePort: 7001,
      seed: "127.0.0.1",
      data: "/stack/cassandra-2/data",
    });
    expect(JSON.parse(text)).toMatchObject({
      commitlog_sync: "batch",
      listen_address: "127.0.0.2",
      native_transport_port: 9043,
      seed_provider: [{ parameters: [{ seeds: "127.0.0.1:7001" }] }],
      data_file_directories: ["/stack/cassandra-2/data/data"],
    });
  });

  it("listens for others only when it joins some, and has a bound on its memory", () => {
    const launch = { folder: "/s/cassandra", jars: "/j", agent: "/j/jamm-0.4.0.jar", heapMegabytes: 512 };
    const joining = cassandraArguments({ ...launch, joins: true });
    expect(joining).toContain("-Dcassandra.ring_delay_ms=5000");
    expect(joining).toContain("-Xmx512M");
    expect(joining.at(-1)).toBe("org.apache.cassandra.service.CassandraDaemon");
    expect(cassandraArguments({ ...launch, joins: false })).toContain("-Dcassandra.ring_delay_ms=1");
  });

  it("of three nodes has one port on three addresses, and three replicas", () => {
    expect(cassandraRecipe.ports(3)[0]).toEqual({
      name: "cassandra",
      preferred: 9042,
      hosts: ["127.0.0.1", "127.0.0.2", "127.0.0.3"],
    });
    const ports = new Map([["cassandra", 9050]]);
    expect(cassandraRecipe.settings({ ports, secrets, cassandraNodes: 3, settings: {} })).toEqual({
      "cassandra.contact_points": "127.0.0.1:9050,127.0.0.2:9050,127.0.0.3:9050",
      "cassandra.datacenter": "dc1",
      "cassandra.replication_factor": 3,
    });
  });
});

describe("the others", () => {
  it("listen on the loopback only", () => {
    expect(redisArguments(6380)).toEqual(expect.arrayContaining(["--bind", "127.0.0.1", "--port", "6380"]));
    expect(postgresArguments("/d", 5433)).toEqual(expect.arrayContaining(["-c", "listen_addresses=127.0.0.1"]));
    expect(kafkaConfig({ port: 1, controllerPort: 2, data: "/d" })).toContain(
      "listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2",
    );
    expect(s3Config({ port: 9001, data: "/d", secrets })).toContain("s3proxy.endpoint=http://127.0.0.1:9001\n");
    const nginx = { port: 8091, servers: ["127.0.0.1:8080"], user: undefined, mediaEndpoint: undefined };
    expect(nginxConfig(nginx).text).toContain("listen 127.0.0.1:8091;");
    expect(serverArguments(8080, 8081, "/t").join(" ")).toContain("--host 127.0.0.1 --port 8080 --admin-port 8081");
  });

  it("Redis saves nothing and refuses when it is full", () => {
    expect(redisArguments(1).join(" ")).toContain("--save  --appendonly no");
    expect(redisArguments(1)).toContain("noeviction");
  });

  it("PostgreSQL asks for its password and orders text the same everywhere", () => {
    const words = initdbArguments("/d", "/p");
    expect(words).toContain("--auth=scram-sha-256");
    expect(words).toContain("--builtin-locale=C.UTF-8");
  });

  it("nginx balances over as many servers as there are", () => {
    const two = { port: 1, servers: ["127.0.0.1:8080", "127.0.0.1:8082"], user: "root", mediaEndpoint: undefined };
    const { text, generation } = nginxConfig(two);
    for (const server of two.servers) expect(text.split(`server ${server} `)).toHaveLength(3);
    expect(text).toContain("user root;");
    expect(nginxConfig(two).generation).toBe(generation);
    expect(nginxConfig({ ...two, servers: ["127.0.0.1:8080"] }).generation).not.toBe(generation);
  });

  it("nginx has a cache of media where there is an object store, and says so to the servers", () => {
    const options = { port: 1, servers: ["127.0.0.1:8080"], user: undefined };
    expect(nginxConfig({ ...options, mediaEndpoint: undefined }).text).not.toContain("proxy_cache");
    const { text } = nginxConfig({ ...options, mediaEndpoint: "http://127.0.0.1:9000" });
    expect(text).toContain("proxy_set_header Host 127.0.0.1:9000;");
    expect(text).toContain("proxy_cache_key $media_object$slice_range;");
    expect(nginxConfig({ ...options, mediaEndpoint: "https://s3.example" }).text).toContain("server s3.example:443;");
    const context = { ports: new Map([["nginx", 8090]]), secrets, cassandraNodes: 1 };
    expect(nginxRecipe.settings({ ...context, settings: {} })).toEqual({});
    expect(nginxRecipe.settings({ ...context, settings: { "s3.endpoint": "http://127.0.0.1:9000" } })).toEqual({
      "media.cdn_url": "http://127.0.0.1:8090",
      "media.signing_key": "signing",
    });
  });

  it("servers get their stores from the stack, and of their caller what is theirs", () => {
    const variables = {
      PATH: "/bin",
      MSGR_LIMITS__PRESET: "bench",
      MSGR_POSTGRES__URL: "x",
      MSGR_LIMITS__X: undefined,
    };
    expect(serverEnvironment(variables, "/stack", "/stack/server-1")).toEqual({
      PATH: "/bin",
      XDG_CONFIG_HOME: "/stack/server-1",
      MSGR_STACK__DIRECTORY: "/stack",
      MSGR_DRAIN__SPREAD_MS: "2000",
      MSGR_LIMITS__PRESET: "bench",
    });
  });

  it("a path is no markup", () => {
    expect(logbackConfig("/a<b>&c", "WARN")).toContain("<file>/a&lt;b&gt;&amp;c</file>");
  });

  it("every part has a recipe, and needs ports under its own name", () => {
    for (const part of partNames) {
      expect(recipes[part].part).toBe(part);
      for (const { name } of recipes[part].ports(1)) expect(name.split(".")[0]).toBe(part);
    }
  });

  it("secrets of the caller's environment stay with the caller", () => {
    const variables = { PATH: "/bin", HOME: "/h", MSGR_POSTGRES__PASSWORD: "x", AWS_SECRET_ACCESS_KEY: "y" };
    expect(baseEnvironment(variables)).toEqual({ PATH: "/bin", HOME: "/h" });
  });
});

describe("PostgreSQL under root", () => {
  it("runs as postgres, else as nobody, never as root", () => {
    const passwd = "root:x:0:0::/r:/bin/sh\nnobody:x:65534:65534::/:/bin/false\npostgres:x:100:101::/:/bin/sh\n";
    expect(accountIn(passwd, ["postgres", "nobody"])).toEqual({ uid: 100, gid: 101 });
    expect(accountIn(passwd.replace("postgres:", "other:"), ["postgres", "nobody"])?.uid).toBe(65_534);
    expect(accountIn(passwd, ["root"])).toBeUndefined();
  });

  it("keeps the right to pass closed folders only where it needs it", () => {
    const account = { uid: 100, gid: 101 };
    expect(runAs(undefined, false, "postgres", ["-D", "d"])).toEqual({ command: "postgres", arguments: ["-D", "d"] });
    expect(runAs(account, true, "postgres", [])).toEqual({ command: "postgres", arguments: [], account });
    const closed = runAs(account, false, "postgres", ["-D", "d"]);
    expect(closed.command).toBe("setpriv");
    expect(closed.arguments).toContain("--ambient-caps=+dac_override");
    expect(closed.arguments.slice(-3)).toEqual(["postgres", "-D", "d"]);
  });
});

it("no id of a Kafka begins with what its tools take for an option", () => {
  const ids = Array.from({ length: 256 }, (_, first) => clusterIdOf(Uint8Array.from({ length: 16 }, () => first)));
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9][\w-]{21}$/);
});
