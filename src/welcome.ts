import type { App } from './app.ts';
import type { Config } from './config.ts';

/** What a person who has just started the gateway needs to know next. */
export function welcome(config: Config, { url, monitorUrl, demo }: App): string {
  if (url === undefined) {
    const at = monitorUrl === undefined ? '' : `\n\n  readiness     ${monitorUrl}/health/ready`;
    return `Ticketwire sends mail; it serves no requests in this process.${at}\n`;
  }
  const at = [
    `Ticketwire is listening on ${url}`,
    '',
    `  ${config.explorer ? 'GraphiQL' : 'GraphQL '}      ${url}/graphql`,
    `  legacy help   ${url}/api`,
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
  const { operator, requester } = demo;
  return `${at.join('\n')}
Demo desk: operator ${operator.login} / ${operator.password}, requester ${requester.login} / ${requester.password}, tickets INC-000001 to INC-000050.

A reply by e-mail, by GraphQL:
  curl -s -u ${operator.login}:${operator.password} ${url}/graphql -H 'Content-Type: application/json' -d '{"query":"mutation($i:AddTicketMessageInput!){addTicketMessage(input:$i){__typename ... on AddTicketMessagePayload{ticketMessage{messageId} delivery{state to subject rfcMessageId}} ... on UserError{code message}}}","variables":{"i":{"ticket":{"reference":"INC-000047"},"body":"Can I meet you afternoon?","email":{"from":"company@domain.com"}}}}'

The same as a legacy client does it:
  curl -s -u ${operator.login}:${operator.password} ${url}/api/Tickets/NewMessage -H 'Content-Type: application/json' -d '{"TicketREF":"INC-000047","Message":"Can I meet you afternoon?","SendViaOutboundEmail":true,"SendViaOutboundEmailFrom":"company@domain.com"}'

`;
}
