import type { App } from './app.ts';
import type { Config } from './config.ts';
import type { DemoDesk } from './dev/demo/seed-desk.ts';

/**
 * Makes the text that `npm start` prints: the addresses of the gateway and, with a demo desk, its accounts
 * with their passwords and calls to try. For a process that only sends mail, it says so. Prints nothing
 * itself.
 */
export function welcome(config: Config, { url, monitorUrl, demo }: App): string {
  if (url === undefined) {
    const at = monitorUrl === undefined ? '' : `\n\n  readiness     ${monitorUrl}/health/ready`;
    return `Ticketwire sends mail; this process serves no requests.${at}\n`;
  }
  const at = [
    `Ticketwire is listening on ${url}`,
    '',
    `  ${config.explorer ? 'GraphiQL' : 'GraphQL '}      ${url}/graphql`,
    `  legacy help   ${url}/api`,
    `  mail ledger   ${url}/ledger`,
  ];
  if (config.smtp.kind === 'inbox') at.push(`  inbox         ${url}/inbox/`);
  at.push(`  readiness     ${url}/health/ready`, '');
  if (demo === undefined) {
    if (config.database.kind === 'embedded') {
      const why = config.demo ? 'This desk is yours' : `HOST is ${config.host}, which others can reach`;
      at.push(`${why}: no demo accounts. Add a user: npm run ticketwire -- user add --help`, '');
    }
    return `${at.join('\n')}\n`;
  }
  return `${at.join('\n')}\n${firstCalls(url, demo)}`;
}

function firstCalls(url: string, { operator, requester }: DemoDesk): string {
  const query =
    'mutation($i:AddTicketMessageInput!){addTicketMessage(input:$i){__typename ' +
    '... on AddTicketMessagePayload{ticketMessage{messageId} delivery{state to subject rfcMessageId}} ' +
    '... on UserError{code message}}}';
  const body = 'Can I meet you this afternoon?';
  const from = 'company@domain.com';
  const reference = 'INC-000047';
  const variables = { i: { ticket: { reference }, body, email: { from } } };
  const legacy = {
    TicketREF: reference,
    Message: body,
    SendViaOutboundEmail: true,
    SendViaOutboundEmailFrom: from,
  };
  const curl = (path: string, json: object) =>
    `curl -s -u ${operator.login}:${operator.password} ${url}${path} ` +
    `-H 'Content-Type: application/json' -d '${JSON.stringify(json)}'`;
  return [
    `Demo desk: sign in as ${operator.login} (password ${operator.password}) or ` +
      `${requester.login} (password ${requester.password}). Tickets: INC-000001 to INC-000050.`,
    '',
    'A reply by e-mail, by GraphQL:',
    `  ${curl('/graphql', { query, variables })}`,
    '',
    'The same as a legacy client does it:',
    `  ${curl('/api/Tickets/NewMessage', legacy)}`,
    '',
    '',
  ].join('\n');
}
