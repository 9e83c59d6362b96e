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
