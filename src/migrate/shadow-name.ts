/** Of a keyspace's 48 letters, what is left beside the words, the time (base 36, good until 2038) and the nonce. */
const ownerLengthMax = 26;
const timeLength = 6;
const nonceLength = 8;

/** Long after the last run that could still be making it, with clocks of two machines that differ. */
const staleAfterMs = 10 * 60_000;

/** Of a shadow of `owner`: when it was made, to the second, and what tells two of one second apart. */
export function shadowName(owner: string, nowMs: number, nonce: string): string {
  const time = Math.floor(nowMs / 1_000)
    .toString(36)
    .padStart(timeLength, "0");
  return `${shortOwner(owner)}_shadow_${time}${nonce.replaceAll("-", "").slice(0, nonceLength)}`;
}

/** Whether `name` is that of a shadow of `owner` that was made so long ago that its run must have ended. */
export function isStaleShadow(name: string, owner: string, nowMs: number): boolean {
  const head = `${shortOwner(owner)}_shadow_`;
  const tail = name.startsWith(head) ? /^([0-9a-z]{6})[0-9a-f]{8}$/.exec(name.slice(head.length)) : null;
  return tail !== null && nowMs - Number.parseInt(tail[1] ?? "", 36) * 1_000 > staleAfterMs;
}

function shortOwner(owner: string): string {
  return owner.slice(0, ownerLengthMax);
}
