import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { probeHttp } from "../probes/probes.ts";
import type { StackSecrets } from "../stack-secrets.ts";
import { versions } from "../versions.ts";
import { logbackConfig } from "./logback-config.ts";
import { baseEnvironment, loopback, portOf, type Recipe } from "./recipe.ts";

export const bucketName = "msgr-media";

export interface S3ConfigOptions {
  readonly port: number;
  readonly data: string;
  readonly secrets: StackSecrets;
}

/** s3proxy.properties: signed requests only, every object a file. */
export function s3Config({ port, data, secrets }: S3ConfigOptions): string {
  return [
    `s3proxy.endpoint=http://${loopback}:${port}`,
    "s3proxy.authorization=aws-v2-or-v4",
    `s3proxy.identity=${secrets.s3AccessKeyId}`,
    `s3proxy.credential=${secrets.s3SecretAccessKey}`,
    "jclouds.provider=filesystem-nio2",
    "jclouds.identity=none",
    "jclouds.credential=none",
    `jclouds.filesystem.basedir=${data}`,
    "",
  ].join("\n");
}

export function s3Arguments(folder: string, jars: string): readonly string[] {
  return [
    "-Xmx256M",
    "-XX:+ExitOnOutOfMemoryError",
    `-Dlogback.configurationFile=${path.join(folder, "logback.xml")}`,
    "-cp",
    `${jars}/*`,
    "org.gaul.s3proxy.Main",
    "--properties",
    path.join(folder, "s3proxy.properties"),
  ];
}

export const s3Recipe: Recipe = {
  part: "s3",
  stopSignal: "SIGTERM",
  probe: probeHttp("/", (status) => status < 500),
  readyWithinMs: 120_000,
  ports: () => [{ name: "s3", preferred: 9000, hosts: [loopback] }],
  prepare(context) {
    const folder = path.join(context.directory, "s3");
    const data = path.join(folder, "data");
    // A bucket is a folder.
    mkdirSync(path.join(data, bucketName), { recursive: true, mode: 0o700 });
    const port = portOf(context, "s3");
    const file = path.join(folder, "s3proxy.properties");
    writeFileSync(file, s3Config({ port, data, secrets: context.secrets }), { mode: 0o600 });
    const log = path.join(context.directory, "logs", "s3.log");
    writeFileSync(path.join(folder, "logback.xml"), logbackConfig(log, "WARN"));
    return Promise.resolve([
      {
        name: "s3",
        version: versions.s3.exactly,
        address: { host: loopback, port },
        launch: {
          command: context.tools.java,
          arguments: s3Arguments(folder, context.jars.get("s3") ?? ""),
          environment: baseEnvironment(context.variables),
          workingDirectory: folder,
        },
      },
    ]);
  },
  settings: (context) => ({
    "s3.endpoint": `http://${loopback}:${portOf(context, "s3")}`,
    "s3.access_key_id": context.secrets.s3AccessKeyId,
    "s3.secret_access_key": context.secrets.s3SecretAccessKey,
    "s3.bucket": bucketName,
  }),
};
