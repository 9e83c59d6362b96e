// node watch.js INC-000047 [cursor]
// Prints what happens in a ticket, one event a line. After a lost connection it goes on behind the last
// event: nothing is missed or printed twice. Pass a cursor to go on where an earlier run ended.
import { setTimeout as sleep } from 'node:timers/promises';

const { TICKETWIRE_URL = 'http://localhost:4000', TICKETWIRE_TOKEN } = process.env;
let [reference, after] = process.argv.slice(2);
if (!TICKETWIRE_TOKEN || !reference) quit('TICKETWIRE_TOKEN=… node watch.js TICKET [CURSOR]');
const query = `subscription Watch($ticket: TicketSelector!, $after: String) {
  ticketEvents(ticket: $ticket, after: $after) {
    cursor type at actor { name } ticketMessage { messageId bodyText } delivery { state to } } }`;

function quit(words) {
  process.stderr.write(`${words}\n`);
  process.exit(1);
}

/** Server-Sent Events: blocks that end with a blank line; those without `data` keep the connection alive. */
async function* payloads(body) {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const [, data] = /^data: (\{.*)$/m.exec(block) ?? [];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

async function watch() {
  const headers = {
    authorization: `Bearer ${TICKETWIRE_TOKEN}`,
    'content-type': 'application/json',
    accept: 'text/event-stream',
  };
  const body = JSON.stringify({ query, variables: { ticket: { reference }, after } });
  const response = await fetch(new URL('/graphql', TICKETWIRE_URL), { method: 'POST', headers, body });
  if ([429, 502, 503, 504].includes(response.status)) throw new Error(`HTTP ${response.status}`);
  if (!response.ok) return (await response.json()).errors;
  for await (const { data, errors } of payloads(response.body)) {
    // A stream may end for a restart of the gateway; what cannot be retried ends the script.
    if (errors?.some(({ extensions }) => !extensions?.retryable)) return errors;
    if (errors) throw new Error(errors[0].message);
    after = data.ticketEvents.cursor;
    process.stdout.write(`${JSON.stringify(data.ticketEvents)}\n`);
  }
  throw new Error('the connection was lost');
}

for (let wait = 250; ; wait = Math.min(10_000, 2 * wait)) {
  const before = after;
  const refused = await watch().catch((error) => {
    process.stderr.write(`${TICKETWIRE_URL}: ${error.cause?.code ?? error.message}, trying again\n`);
  });
  if (refused) quit(refused.map(({ message }) => message).join('\n'));
  if (after !== before) wait = 250;
  await sleep(wait * (1 + Math.random()));
}
