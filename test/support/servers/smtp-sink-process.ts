import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Fault, type SinkMail, startSmtpSink } from './smtp-sink.ts';

/*
 * The sink in its own process, for crash tests: it outlives its clients, and can be killed itself. Each
 * accepted mail is one line in a journal, which is synced before the 250, so the journal has exactly the
 * mails that a real server would be responsible for.
 */

export interface JournalEntry {
  readonly from: string;
  readonly to: readonly string[];
  /** The Message-ID header's value, `<…@…>`. */
  readonly messageId: string;
  readonly bytes: number;
  /** Hexadecimal, of the source. */
  readonly sha256: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  /** Base64. */
  readonly source: string;
}

export interface SinkProcess extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly child: ChildProcess;
  setFaults(faults: readonly Fault[]): void;
}

/** Starts it; the same journal and port may be given again after a kill. */
export async function startSinkProcess(
  journal: string,
  { port = 0, faults = [] }: { port?: number; faults?: readonly Fault[] } = {},
): Promise<SinkProcess> {
  const args = [fileURLToPath(import.meta.url), journal, String(port), JSON.stringify(faults)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(([code, signal]) => {
      throw new Error(`the SMTP sink ended with ${signal ?? `code ${code}`}`);
    }),
  ])) as [string];
  const bound = Number(line);
  return {
    port: bound,
    url: `smtp://127.0.0.1:${bound}`,
    child,
    setFaults: (list) => void child.stdin.write(`${JSON.stringify(list)}\n`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

/**
 * Every mail that the sink ever took. A line that a kill cut short was never answered for, and is left out.
 */
export function readJournal(journal: string): JournalEntry[] {
  const lines = readFileSync(journal, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as JournalEntry);
}

async function main([journal, port, faults]: string[]): Promise<void> {
  const file = openSync(journal!, 'a');
  const onMail = (mail: SinkMail) => {
    writeSync(file, `${JSON.stringify(entryOf(mail))}\n`);
    fsyncSync(file);
  };
  const sink = await startSmtpSink({ port: Number(port), faults: JSON.parse(faults!), onMail });
  process.stdout.write(`${sink.port}\n`);
  // The end of its input is the end of its parent: it must not be left behind.
  createInterface(process.stdin)
    .on('line', (line) => sink.setFaults(JSON.parse(line)))
    .on('close', () => process.exit());
}

function entryOf({ from, to, source, receivedAt }: SinkMail): JournalEntry {
  const header = source.toString('latin1').match(/^message-id:\s*(\S+)/im);
  return {
    from,
    to,
    messageId: header?.[1] ?? '',
    bytes: source.length,
    sha256: createHash('sha256').update(source).digest('hex'),
    receivedAt: receivedAt.toISOString(),
    source: source.toString('base64'),
  };
}

if (import.meta.main) await main(process.argv.slice(2));
