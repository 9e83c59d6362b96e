// node reply.js INC-000047 "The part has arrived." [key]
// Adds a reply and mails it. Run it again with the same key: nothing is added or mailed twice.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const { TICKETWIRE_URL = 'http://localhost:4000', TICKETWIRE_TOKEN } = process.env;
const [reference, body, idempotencyKey = randomUUID()] = process.argv.slice(2);
if (!TICKETWIRE_TOKEN || !body) {
  process.stderr.write('TICKETWIRE_TOKEN=… node reply.js TICKET TEXT [KEY]\n');
  process.exit(1);
}
const query = `mutation Reply($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  ... on AddTicketMessagePayload { replayed ticketMessage { messageId } delivery { state to } }
  ... on UserError { code message path } } }`;
const email = { from: process.env.MAILBOX ?? 'company@domain.com' };
const variables = { input: { ticket: { reference }, body, email, idempotencyKey } };

async function call() {
  const headers = { authorization: `Bearer ${TICKETWIRE_TOKEN}`, 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify({ query, variables }) };
  const response = await fetch(new URL('/graphql', TICKETWIRE_URL), {
    ...request,
    signal: AbortSignal.timeout(30_000),
  });
  // Retry when the gateway is busy or away, or did not answer: the key makes the call safe to repeat.
  if ([429, 502, 503, 504].includes(response.status)) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

for (let attempt = 1; ; attempt += 1) {
  const answer = await call().catch((error) => ({ error }));
  if (answer.error === undefined || attempt === 6) {
    const told = answer.error?.message ?? answer.errors ?? answer.data.addTicketMessage;
    process.stdout.write(`${JSON.stringify(told)}\n`);
    process.exitCode = answer.data?.addTicketMessage?.ticketMessage === undefined ? 1 : 0;
    break;
  }
  process.stderr.write(
    `${TICKETWIRE_URL}: ${answer.error.cause?.code ?? answer.error.message}, trying again\n`,
  );
  await sleep(200 * 2 ** attempt * (1 + Math.random()));
}
