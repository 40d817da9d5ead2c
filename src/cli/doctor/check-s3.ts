import { s3Options } from "../../server/store-options.ts";
import { inspectS3 } from "../../stores/s3/inspect.ts";
import { ok, storeFinding, type Check } from "./finding.ts";

/** The probe also tells whether the clocks agree: signed addresses depend on it. */
export const s3Check: Check = {
  name: "s3",
  async run({ config, nowMs }) {
    const objections = await inspectS3(s3Options(config), nowMs);
    if (objections.length > 0) return objections.map(storeFinding);
    return [ok("s3", `${config.s3.endpoint} takes and gives back an object in ${config.s3.bucket}`)];
  },
};
