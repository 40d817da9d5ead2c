import { createLmdbMediaRows } from "../../src/stores/lmdb/media.ts";
import { lmdbHarness } from "./lmdb-environment.ts";
import { describeMediaRows } from "./media-rows.contract.ts";

describeMediaRows("lmdb", lmdbHarness(createLmdbMediaRows));
