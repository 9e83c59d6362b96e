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

const text = JSON.stringify(
  Array.from({ length: 20_000 }, (_, n) => ({ id: n, text: `message ${n}`, list: [n, n + 1, n + 2] })),
);

/**
 * Work to compare with: reads 1.2 MB of JSON and writes it again.
 * @returns CPU that it took of this thread, milliseconds
 */
export function referenceMs(): number {
  const before = process.threadCpuUsage();
  JSON.stringify(JSON.parse(text));
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
