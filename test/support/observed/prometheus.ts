/** What one metric says, by its labels in Prometheus's own words: `{door="graphql"}`; without labels ''. */
export type Samples = Map<string, number>;

/** Reads the text that Prometheus is given. */
export function readMetrics(text: string): Map<string, Samples> {
  const metrics = new Map<string, Samples>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? ([-+.\dNaInfe]+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const samples = metrics.get(name) ?? new Map<string, number>();
    metrics.set(name, samples.set(labels, Number(value)));
  }
  return metrics;
}

export async function scrape(url: string): Promise<Map<string, Samples>> {
  return readMetrics(await (await fetch(`${url}/metrics`)).text());
}

/** Sum of a metric's samples whose labels have all of these. */
export function sumOf(metrics: Map<string, Samples>, name: string, ...labels: string[]): number {
  let sum = 0;
  for (const [key, value] of metrics.get(name) ?? [])
    if (labels.every((label) => key.includes(label))) sum += value;
  return sum;
}
