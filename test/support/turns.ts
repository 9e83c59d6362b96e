/** The longest turn of this thread's event loop, in CPU time, so that a busy machine does not matter. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let going = true;
  let last = process.threadCpuUsage();
  const look = () => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1000);
    last = process.threadCpuUsage();
    // Once in each turn that there is anyway: unreferenced, it makes none of its own.
    if (going) setImmediate(look).unref();
  };
  setImmediate(look).unref();
  try {
    await work();
  } finally {
    await new Promise((resolve) => setImmediate(resolve));
    going = false;
  }
  return longest;
}
