/**
 * Starts `work`, unless what it began the last time is still under way, and does not wait for it. What goes wrong in it is
 * its own business: it looks at things that may be down.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let isRunning = false;
  const run = async (): Promise<void> => {
    try {
      await work();
    } catch {
      // There is no reading then.
    } finally {
      isRunning = false;
    }
  };
  return () => {
    if (!isRunning) {
      isRunning = true;
      void run();
    }
    return Promise.resolve();
  };
}
