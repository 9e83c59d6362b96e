import { type Profiler, Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What one piece of work walked through: files of src, and the functions in them that were called. */
export interface Walk {
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly functions: number;
  /** Of these functions. */
  readonly calls: number;
}

/** A function that was called: its place in its file, and how often. */
type Called = ReadonlyMap<string, { readonly name: string; readonly count: number }>;

/** Looks which functions below a folder this process calls, by V8's own count of calls. */
export class Coverage implements AsyncDisposable {
  readonly #session = new Session();
  readonly #src: URL;

  private constructor(src: URL) {
    this.#src = src;
  }

  static async start(src: URL): Promise<Coverage> {
    const coverage = new Coverage(src);
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    return coverage;
  }

  /** What every one of several runs of the same work called. What only some of them called is left out. */
  async walk(work: () => Promise<unknown>, times: number): Promise<Walk> {
    const runs: ReadonlyMap<string, Called>[] = [];
    for (let n = 0; n < times; n += 1) {
      await this.#session.post('Profiler.takePreciseCoverage');
      await work();
      const { result } = await this.#session.post('Profiler.takePreciseCoverage');
      runs.push(this.#calledBy(result));
    }
    return inEach(runs);
  }

  #calledBy(scripts: readonly Profiler.ScriptCoverage[]): Map<string, Called> {
    const files = new Map<string, Called>();
    for (const { url, functions } of scripts) {
      if (!url.startsWith(this.#src.href)) continue;
      // A range that begins at 0 is the module's own text, which ran when it was loaded.
      const called = functions.filter(({ ranges: [range] }) => range!.count > 0 && range!.startOffset > 0);
      const file = relative(fileURLToPath(this.#src), fileURLToPath(url)).replaceAll('\\', '/');
      const byPlace = called.map(({ functionName: name, ranges: [range] }) => {
        return [`${range!.startOffset}-${range!.endOffset}`, { name, count: range!.count }] as const;
      });
      if (called.length > 0) files.set(file, new Map(byPlace));
    }
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}

function inEach([first, ...others]: readonly ReadonlyMap<string, Called>[]): Walk {
  const files = new Map<string, readonly string[]>();
  let [functions, calls] = [0, 0];
  for (const [file, called] of [...first!].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const names: string[] = [];
    for (const [place, { name, count }] of called) {
      const counts = [count, ...others.map((other) => other.get(file)?.get(place)?.count ?? 0)];
      if (counts.includes(0)) continue;
      names.push(name || '(without a name)');
      calls += Math.min(...counts);
    }
    if (names.length > 0) files.set(file, names);
    functions += names.length;
  }
  return { files, functions, calls };
}
