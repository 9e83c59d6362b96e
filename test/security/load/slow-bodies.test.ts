import { expect, test } from 'vitest';
import { cleanFileName } from '../../../src/tickets/clean-file-metadata.ts';
import { asRequester, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';

/*
 * One process answers everybody: a body that keeps it busy for minutes is a desk that is down. A regular
 * expression that begins again at each character of a long run does that; all of these did, or are of the
 * same kind.
 */

/** A million characters when soaking: what was quadratic took minutes of them, and seconds of these. */
const size = soaking ? 1_000_000 : 300_000;
const bodies = {
  'many opening brackets': { format: 'HTML', body: `${'<'.repeat(size)}x` },
  'a tag that is never closed': { format: 'HTML', body: `x<b ${'<b '.repeat(size / 3)}` },
  'many blanks that are kept': { format: 'HTML', body: `<pre>${' '.repeat(size)}x</pre>` },
  'many tabs': { format: 'HTML', body: `<pre>${'\t'.repeat(size)}x</pre>` },
  'links that end like sentences': {
    format: 'TEXT',
    body: `http://${'.'.repeat(1900)}a `.repeat(size / 1909),
  },
  'many blanks before a word': { format: 'TEXT', body: `${' '.repeat(size)}x` },
} as const;

/** Milliseconds of this process's CPU, the gateway's and the garbage collector's. */
function cpuSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

test('no requester’s body blocks the gateway for long, in writing or in reading', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const slow: string[] = [];
  for (const [name, body] of Object.entries(bodies)) {
    const from = process.cpuUsage();
    await gateway.graphql(
      `mutation($input: AddTicketMessageInput!) {
        addTicketMessage(input: $input) { ... on AddTicketMessagePayload { ticketMessage { bodyHtml bodyText
        } } }
      }`,
      { input: { ticket: { reference: 'INC-000047' }, ...body } },
      { authorization: asRequester },
    );
    const ms = cpuSince(from);
    // A linear pass over 1 MB takes a few hundred ms with sanitising.
    if (ms > (5000 * size) / 1_000_000) slow.push(`${name}: ${ms} ms`);
  }
  expect(slow).toEqual([]);
});

test('nor does a name of a file', () => {
  const from = process.cpuUsage();
  expect(cleanFileName(`a${'.'.repeat(size)}x.txt`, 0)).toMatch(/^a\.+~[0-9a-f]{8}\.txt$/);
  expect(cpuSince(from)).toBeLessThan(1000);
});
