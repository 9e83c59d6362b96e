import { complexityLimit } from '../engine/complexity.ts';
import { maxTokens } from '../engine/limits.ts';

/** Markdown. Shown as the front page of GraphiQL's documentation and in schema.graphql. */
export const description = `
Ticketwire is a gateway over a help desk's ticket messages. Its main job is one mutation,
\`addTicketMessage\`: it adds a comment, a private note or an e-mail reply, with files, to a ticket; and
it is stored, and mailed if asked, once or not at all.

**Three doors.** \`POST /graphql\` takes queries and mutations as JSON, and files by the GraphQL multipart
request specification. \`POST /graphql\` with \`Accept: text/event-stream\` takes subscriptions:
\`ticketEvents\` tells what happens in a ticket. \`POST /api/Tickets/NewMessage\` is the old endpoint, for
the programs that call it already; \`/api\` describes it.

**Signing in.** \`Authorization: Bearer …\` with an API token or a JWT, or \`Basic …\` with login and
password. A wrong credential is HTTP 401. A token has scopes: READ to look at anything but the results of
one's own commands, WRITE to add messages and upload files, MAIL to send e-mails and deal with deliveries,
ADMIN to redact. Operators see all tickets; requesters see their own, without private messages.

**Refusals.** A command that says no answers with a member of its result union that implements
\`UserError\`: read \`code\`, an \`ErrorCode\`, and show \`message\`. A query that says no is null, and
its error has the code in \`extensions.code\`. Other errors are faults: \`UNAVAILABLE\` may be tried again
after \`Retry-After\`, \`INTERNAL\` has a request id to report.

**Calling again.** Give \`addTicketMessage\` an \`idempotencyKey\`: after a lost answer, the same call
with the same key gives the first result, with \`replayed: true\`, and nothing is done twice.

**Cursors.** Lists are Relay connections. A cursor is opaque and belongs to its list: another list refuses
it with INVALID_INPUT, and so does \`ticketEvents\`. The \`cursor\` of a ticket, a payload or an event is
where that ticket's events go on; the \`cursor\` of an edge is where its list goes on.

**Limits.** A page has 20 rows unless told, and 100 at most; \`nodes\` takes 100 ids. A message has 20
files and 50 addresses in Cc and Bcc together. A document has ${maxTokens} tokens,
${complexityLimit.depth} levels and ${complexityLimit.breadth} fields at most, and a complexity of
${complexityLimit.complexity.toLocaleString('en')}: the fields that it may answer, those below a list once
for each row of the page. More is refused with DOCUMENT_TOO_LARGE or DOCUMENT_TOO_COMPLEX.
`
  .trim()
  // Joins the lines of each paragraph, which are wrapped for readers of the code.
  .replace(/(?<!\n)\n(?!\n)/g, ' ');
