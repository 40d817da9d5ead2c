import { ackBeforeDurable } from "./ack-before-durable.ts";
import { ackBeforeJob } from "./ack-before-job.ts";
import { appendWithoutMembership } from "./append-without-membership.ts";
import { beaconWithoutCount } from "./beacon-without-count.ts";
import { counterGapIgnored } from "./counter-gap-ignored.ts";
import { deadProcessOnline } from "./dead-process-online.ts";
import { deafCaches } from "./deaf-caches.ts";
import { dedupeOnlyOnRetry } from "./dedupe-only-on-retry.ts";
import { flushUnnoticed } from "./flush-unnoticed.ts";
import { headsBeforeRegistration } from "./heads-before-registration.ts";
import { interestWishedOnce } from "./interest-wished-once.ts";
import { jobCommittedFirst } from "./job-committed-first.ts";
import { lateHelloTakes } from "./late-hello-takes.ts";
import { lyingDisk } from "./lying-disk.ts";
import type { Mutant } from "./mutant.ts";
import { noListRepair } from "./no-list-repair.ts";
import { presenceUntold } from "./presence-untold.ts";
import { receiptsWithoutAnswer } from "./receipts-without-answer.ts";
import { refreshTakesBack } from "./refresh-takes-back.ts";
import { refusalUntold } from "./refusal-untold.ts";
import { refusedTwiceMovesBack } from "./refused-twice-moves-back.ts";
import { rowsBeforeHead } from "./rows-before-head.ts";
import { secondRefusalForgotten } from "./second-refusal-forgotten.ts";
import { settledRefusalKept } from "./settled-refusal-kept.ts";
import { silenceIsPresence } from "./silence-is-presence.ts";
import { silentBusBelieved } from "./silent-bus-believed.ts";
import { sinceRaisedBlindly } from "./since-raised-blindly.ts";
import { staleLeaseBelieved } from "./stale-lease-believed.ts";
import { unnoticedGap } from "./unnoticed-gap.ts";
import { unreadableBeforeSettled } from "./unreadable-before-settled.ts";

export const mutants: readonly Mutant[] = [
  dedupeOnlyOnRetry,
  rowsBeforeHead,
  appendWithoutMembership,
  receiptsWithoutAnswer,
  unnoticedGap,
  beaconWithoutCount,
  counterGapIgnored,
  staleLeaseBelieved,
  flushUnnoticed,
  headsBeforeRegistration,
  refreshTakesBack,
  lateHelloTakes,
  ackBeforeDurable,
  ackBeforeJob,
  jobCommittedFirst,
  noListRepair,
  sinceRaisedBlindly,
  deafCaches,
  silentBusBelieved,
  lyingDisk,
  unreadableBeforeSettled,
  presenceUntold,
  interestWishedOnce,
  silenceIsPresence,
  deadProcessOnline,
  refusalUntold,
  refusedTwiceMovesBack,
  secondRefusalForgotten,
  settledRefusalKept,
];
