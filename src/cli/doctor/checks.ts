import type { Config } from "../../server/config/config-schema.ts";
import { cassandraCheck } from "./check-cassandra.ts";
import { dataFolderCheck } from "./check-data-folder.ts";
import { kafkaCheck } from "./check-kafka.ts";
import { nodeCheck, openFilesCheck } from "./check-machine.ts";
import { migrationsCheck } from "./check-migrations.ts";
import { postgresCheck } from "./check-postgres.ts";
import { redisCheck } from "./check-redis.ts";
import { s3Check } from "./check-s3.ts";
import { serverCheck } from "./check-server.ts";
import type { Check } from "./finding.ts";

/** What `config check --online` asks. */
export function storeChecks({ profile }: Config): readonly Check[] {
  return profile === "embedded"
    ? [dataFolderCheck]
    : [postgresCheck, cassandraCheck, redisCheck, kafkaCheck, s3Check, migrationsCheck];
}

/** What `msgr doctor` asks. */
export function allChecks(config: Config): readonly Check[] {
  return [nodeCheck, openFilesCheck, ...storeChecks(config), serverCheck];
}
