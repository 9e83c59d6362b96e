/** The longest turn of this thread's event loop, in CPU time, so that a busy machine does not matter. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let going = true;
  let last = process.threadCpuUsage();
  const look = () => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1000);
    last = process.threadCpuUsage();
    if (going) setImmediate(look);
  };
  setImmediate(look);
  try {
    await work();
  } finally {
    await new Promise((resolve) => setImmediate(resolve));
    going = false;
  }
  return longest;
}
