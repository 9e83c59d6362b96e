import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { readHolder } from '../../../src/dev/embedded-postgres/postmaster-pid.ts';
import { type Embedded, startEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';
import { eventually } from '../../support/eventually.ts';

export const program = fileURLToPath(new URL('embedded-process.ts', import.meta.url));

interface Said {
  pid: number;
  connection: { path: string; port: number; user: string; database: string };
  error?: string;
}

/**
 * Gives each test of a file a DATA_DIR of its own, and gateways on it that are processes of their own.
 * @param firstStart what to do with the cluster of `withCluster` while its first server runs
 */
export function useDataDirs(firstStart?: (embedded: Embedded, dataDir: string) => Promise<void>) {
  let made: string;
  let dataDir: string;
  let gateways: ChildProcess[];
  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), 'embedded-made-'));
    await chmod(made, 0o711);
    await using embedded = await startEmbedded(made);
    await firstStart?.(embedded, made);
  });
  afterAll(() => rm(made, { recursive: true, force: true }));
  beforeEach(async () => {
    gateways = [];
    dataDir = await mkdtemp(join(tmpdir(), 'embedded-'));
    await chmod(dataDir, 0o711);
  });
  afterEach(async () => {
    for (const gateway of gateways) gateway.kill('SIGKILL');
    await gone();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Waits for the end of the server of a gateway that was killed. */
  async function gone(): Promise<void> {
    const data = join(dataDir, 'postgres/data');
    await eventually(async () => ((await readHolder(data))?.state ?? 'gone') === 'gone');
  }

  return {
    get dataDir() {
      return dataDir;
    },
    gone,
    /** Ends with the test. */
    own: (child: ChildProcess) => void gateways.push(child),
    /** Most tests are not about the first start, and need not wait for initdb. */
    withCluster: (into = dataDir) => void spawnSync('cp', ['-a', join(made, 'postgres'), into]),
    /** Starts a gateway in a process of its own; rejects with what it says when it cannot. */
    async startGateway(options: object = {}): Promise<Said & { process: ChildProcess }> {
      const child = spawn(process.execPath, [program, dataDir], {
        stdio: ['pipe', 'pipe', 'inherit'],
        ...options,
      });
      gateways.push(child);
      const [line] = await once(createInterface(child.stdout!), 'line');
      const said = JSON.parse(line) as Said;
      if (said.error !== undefined) throw new Error(said.error);
      return { ...said, process: child };
    },
  };
}

export async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export async function ask<T>(connection: object, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres({ ...connection, max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
