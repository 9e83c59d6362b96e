import { complexityLimit } from '../engine/complexity-limit.ts';
import { maxTokens } from '../engine/document-limits.ts';

/**
 * The schema's description in Markdown: the front page of GraphiQL's documentation and the head of
 * schema.graphql.
 */
export const description = `
Ticketwire is a gateway over a help desk's ticket messages. Its main job is one mutation,
\`addTicketMessage\`: it adds a comment, a private note or an e-mail reply, with files, to a ticket. The
message is stored, and mailed if requested, exactly once or not at all.

**Endpoints.** \`POST /graphql\` takes queries and mutations as JSON, and files by the GraphQL multipart
request specification. \`POST /graphql\` with \`Accept: text/event-stream\` takes subscriptions:
\`ticketEvents\` reports what happens in a ticket. \`POST /api/Tickets/NewMessage\` is the legacy endpoint
for existing clients, documented at \`/api\`.

**Signing in.** \`Authorization: Bearer …\` with an API token or a JWT, or \`Basic …\` with login and
password. A wrong credential is HTTP 401. A token has scopes: READ for everything but the results of your
own commands, WRITE to add messages and upload files, MAIL to send e-mails and manage deliveries,
ADMIN to redact. Operators see all tickets; requesters see their own, without private messages.

**Refusals.** A refused command returns a member of its result union that implements \`UserError\`: read
\`code\`, an \`ErrorCode\`, and show \`message\`. A refused query is null, and its error has the code in
\`extensions.code\`. Other errors are faults: retry \`UNAVAILABLE\` after \`Retry-After\`, and report the
request id of \`INTERNAL\`.

**Retries.** Give \`addTicketMessage\` an \`idempotencyKey\`. After a lost answer, the same call with the
same key returns the first result, with \`replayed: true\`, and nothing is done twice.

**Cursors.** Lists are Relay connections. A cursor is opaque and belongs to its list: other lists and
\`ticketEvents\` refuse it with INVALID_INPUT. The \`cursor\` of a ticket, a payload or an event is
for that ticket's events, and the \`cursor\` of an edge is for its list.

**Limits.** A page has 20 rows by default, and 100 at most; \`nodes\` takes 100 ids. A message has 20
files and 50 addresses in Cc and Bcc together. A document has ${maxTokens} tokens,
${complexityLimit.depth} levels and ${complexityLimit.breadth} fields at most, and a complexity of
${complexityLimit.complexity.toLocaleString('en')}: the number of fields in its answer, where fields
below a list count once for each row of the page. Larger documents are refused with
DOCUMENT_TOO_LARGE or DOCUMENT_TOO_COMPLEX.
`
  .trim()
  // Joins the lines of each paragraph, which are wrapped for readers of the code.
  .replace(/(?<!\n)\n(?!\n)/g, ' ');
