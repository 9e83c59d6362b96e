import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, findClients, packages } from './clients.ts';
import { startDesk } from './desk.ts';
import { type Body, bodiesIn, modes } from './modes.ts';
import { runProgram } from './program.ts';

/*
 * Calls the old endpoint by the clients that are installed on this machine: `npm run test:clients:legacy`. It
 * installs nothing, and names the clients that are missing and their Debian packages.
 */
const folder = await mkdtemp(join(tmpdir(), 'ticketwire-clients-'));
let failed = 0;
try {
  await using desk = await startDesk(folder);
  const made = join(folder, 'made');
  await mkdir(made);
  const { clients, missing } = await findClients(made);
  const bodies = await bodiesIn(folder, writeFile);
  const rows: string[][] = [['client', ...modes.map(({ title }) => title)]];
  for (const client of clients) {
    const row = [client.name];
    for (const { mode } of modes) row.push(await told(client, mode, bodies[mode]));
    rows.push(row);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()}\n`,
    );
  if (missing.length > 0)
    process.stdout.write(`\nNot installed: ${missing.join(', ')}\napt-get install ${packages.join(' ')}\n`);

  /** The outcome of one call: that its text and file were stored exactly, or what was found instead. */
  async function told(client: Client, mode: string, body: Body): Promise<string> {
    const command = client.command({ url: desk.endpoint, mode, file: body.file, type: body.type });
    if (command === undefined) return '-';
    const { out, error } = await runProgram(command);
    const id = /TicketMessageId(?:"\s*:\s*|>)(\d+)/.exec(out)?.[1];
    const stored = id && (await desk.findMessage(Number(id)));
    if (stored && stored.body === body.message && stored.bytes === body.bytes) return 'ok';
    failed++;
    process.stderr.write(`${client.name}, ${mode}: ${(out || error).slice(0, 400)}\n`);
    return stored ? 'other' : out.slice(0, 3) || 'failed';
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
