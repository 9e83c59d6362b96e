import { type Profiler, Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What one piece of work walked through: files of src, and the functions in them that were called. */
export interface Walk {
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly functions: number;
  readonly calls: number;
}

const src = new URL('../../src/', import.meta.url);

/** Looks which functions of src this process calls, by V8's own count of calls. */
export class Coverage implements AsyncDisposable {
  readonly #session = new Session();

  static async start(): Promise<Coverage> {
    const coverage = new Coverage();
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    return coverage;
  }

  /** Forgets what was called before, does the work, and tells what was called until it was done. */
  async walk(work: () => Promise<unknown>): Promise<Walk> {
    await this.#session.post('Profiler.takePreciseCoverage');
    await work();
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    return walkOf(result.filter(({ url }) => url.startsWith(src.href)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}

function walkOf(scripts: readonly Profiler.ScriptCoverage[]): Walk {
  const files = new Map<string, readonly string[]>();
  let [functions, calls] = [0, 0];
  for (const { url, functions: all } of scripts) {
    // The first is the module's own text, which ran when it was loaded.
    const called = all.filter(({ ranges: [range] }) => range!.count > 0 && range!.startOffset > 0);
    if (called.length === 0) continue;
    files.set(
      relative(fileURLToPath(src), fileURLToPath(url)).replaceAll('\\', '/'),
      called.map(({ functionName }) => functionName || '(without a name)'),
    );
    functions += called.length;
    for (const { ranges } of called) calls += ranges[0]!.count;
  }
  return { files: new Map([...files].sort()), functions, calls };
}
