// `npm run demo`: the server on its embedded stores under the traffic of scenarios/quickstart.yaml, and the proof that
// nothing was lost. The work is `msgr bench`; this only names the scenario from wherever npm was called.
import { createRequire } from "node:module";
import path from "node:path";

const { packageRoot } = createRequire(import.meta.url)("../bin/pinned-node.js");

process.argv.splice(2, 0, "bench", path.join(packageRoot, "scenarios", "quickstart.yaml"));
createRequire(import.meta.url)("../bin/msgr");
