import type { Clock } from "../../base/clock.ts";
import type { CassandraAdmin } from "../../stores/cassandra/connect-admin.ts";
import { MigrateError } from "../migrate-error.ts";
import { migrateLimits } from "../settings.ts";

/**
 * Until all nodes that are up know one schema: a change while they disagree can leave them disagreeing for good, and a
 * statement on a table may meet a node that has not heard of it. `between` runs between two looks, takes its time, and may
 * throw. Throws MigrateError no_agreement.
 */
export async function awaitAgreement(
  admin: Pick<CassandraAdmin, "schemaAgrees">,
  clock: Pick<Clock, "monotonicMs">,
  between: () => Promise<void>,
): Promise<void> {
  const startedMs = clock.monotonicMs();
  while (!(await admin.schemaAgrees())) {
    if (clock.monotonicMs() - startedMs >= migrateLimits.schemaAgreementTimeoutMs) {
      const seconds = migrateLimits.schemaAgreementTimeoutMs / 1_000;
      throw new MigrateError(
        "no_agreement",
        `The nodes did not agree on one schema within ${seconds} s.`,
        "`nodetool describecluster` names the node that differs: restart it, then run `msgr migrate up` again.",
      );
    }
    await between();
  }
}
