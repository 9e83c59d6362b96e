import { escapeHtml } from '../../platform/escape-html.ts';
import { samples } from './samples.ts';

/** A row of the help page's tables. */
type HelpRow = readonly [name: string, description: string, type: string];

/** In the words of the old page, as far as it had them. */
const members: readonly HelpRow[] = [
  [
    'TicketREF',
    '(Required) The reference ID of the ticket to which add a new message. You can use TicketId instead. ' +
      'If both are given, they must name the same ticket.',
    'string',
  ],
  [
    'TicketId',
    '(Required) The unique ID of the ticket to which add a new message. You can use TicketREF instead.',
    'integer',
  ],
  ['Message', '(Required) The message body', 'string'],
  ['Html', 'If true, sent message is in HTML format', 'boolean'],
  [
    'IsPrivate',
    'If true, the message is marked as a private one. ' +
      'Private messages are visible only for Operators and can be sent by Operators only.',
    'boolean',
  ],
  ['IsMobileDevice', 'If true, the message has been sent from a mobile device (phone, tablet)', 'boolean'],
  ['Attachments', 'The list of attachments', 'Collection of NewAttachment'],
  ['SendViaOutboundEmail', 'If true, the message will be sent as an email reply.', 'boolean'],
  [
    'SendViaOutboundEmailFrom',
    'Existing mailbox account. If SendViaOutboundEmail is true, this is required.',
    'string',
  ],
  ['SendViaOutboundEmailCc', '(Optional) CC (carbon copy) emails.', 'Collection of string'],
  ['SendViaOutboundEmailBcc', '(Optional) BCC (blind carbon copy) emails.', 'Collection of string'],
];

const attachmentMembers: readonly HelpRow[] = [
  ['FileName', 'The name of the file', 'string'],
  ['ContentType', 'The media type of the file', 'string'],
  ['ContentLength', 'The length of the file; what counts is the data', 'integer'],
  ['Data', 'The file itself, base64 with its padding', 'Collection of byte'],
];

const resultMembers: readonly HelpRow[] = [
  ['TicketMessageId', 'The unique identifier of the newly created ticket message', 'integer'],
];

const answers: readonly (readonly [status: string, meaning: string])[] = [
  ['200 OK', 'The message is stored; its id is in the body.'],
  ['400 BadRequest', 'Message says what is wrong; ModelState names the members that could not be read.'],
  ['401 Unauthorized', 'Login and password (HTTP Basic) or a token (Bearer) are missing or wrong.'],
  ['405, 415', 'The method is not POST; the body is neither JSON nor XML.'],
  ['413', 'The request, a file or the e-mail is too large.'],
  ['422', 'The Idempotency-Key has been used for another message.'],
  ['429', 'A limit is exceeded. Try again in as many seconds as Retry-After says.'],
  [
    '500, 503',
    'A fault. After 503, try again in as many seconds as Retry-After says. Message says whether the ' +
      'message may have been stored nevertheless; with an Idempotency-Key, it is not stored again.',
  ],
];

/** The style sheet of the help page, exported for its hash in the Content-Security-Policy. */
export const helpStyle = `
body {
  font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
  color: #1d2733; background: #fff;
}
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; } h3 { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #d8dee6; padding: .35rem .6rem; text-align: left; vertical-align: top; }
pre {
  background: #f4f6f8; border: 1px solid #d8dee6; border-radius: 4px; padding: .8rem; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all;
}
@media (max-width: 40rem) { h1, td, th { overflow-wrap: anywhere; } th, td { padding: .3rem; } }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
@media (prefers-color-scheme: dark) {
  body { background: #14191f; color: #dfe6ee; } pre { background: #1d242c; }
  pre, th, td { border-color: #37424e; } a { color: #7ab8ff; }
}
`;

/**
 * The help page as a complete HTML document, in the style of the old one: one endpoint, the members of its
 * request and response, and samples (a click selects a whole one). The samples use `http://localhost:4000`,
 * which load-pages.ts replaces by the origin by which the reader came.
 */
export function helpPage(): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>POST api/Tickets/NewMessage</title>
<style>${helpStyle}</style>
</head>
<body>
<main>
<h1>POST api/Tickets/NewMessage</h1>
<p>Creates a new message (comment or email reply) in the Ticket.</p>
<p>Sign in with HTTP Basic (login and password of a help desk user) or with a Bearer token. This endpoint
remains for existing clients; new clients should use the <a href="/graphql">GraphQL API</a>.
A machine-readable description is in <a href="/api/openapi.yaml">openapi.yaml</a>.</p>
<h2>Request Information</h2>
<h3>URI Parameters</h3>
<p>None.</p>
<h3>Headers</h3>
<p><code>Idempotency-Key</code> (optional): a unique string that you choose for this call. A call
repeated with the same key stores and mails the message once, and gets the first answer again.</p>
<h3>Body Parameters</h3>
${table('NewMessagePost', members)}
<h3>NewAttachment</h3>
${table('NewAttachment', attachmentMembers)}
<h3>Request Formats</h3>
${sample('application/json, text/json', samples.requestJson)}
${sample('application/xml, text/xml', samples.requestXml)}
<p>In XML, the elements must be in alphabetical order. An element that is out of order is ignored.</p>
${sample('From a shell', samples.shell)}
<h2>Response Information</h2>
<h3>Resource Description</h3>
${table('NewMessageResult', resultMembers)}
<h3>Statuses</h3>
<table><tr><th>Status</th><th>Meaning</th></tr>${answerRows()}</table>
<h3>Response Formats</h3>
${sample('application/json, text/json', samples.responseJson)}
${sample('application/xml, text/xml', samples.responseXml)}
${sample('A refusal', samples.refusalJson)}
</main>
</body>
</html>
`;
}

const answerRows = (): string =>
  answers.map(([status, meaning]) => `<tr><td>${status}</td><td>${meaning}</td></tr>`).join('');

function table(name: string, rows: readonly HelpRow[]): string {
  const body = rows.map(
    (row) =>
      `<tr>${row.map((cell, i) => `<td>${i === 0 ? `<code>${cell}</code>` : cell}</td>`).join('')}</tr>`,
  );
  return `<table><tr><th>${name}</th><th>Description</th><th>Type</th></tr>${body.join('')}</table>`;
}

function sample(title: string, text: string): string {
  return `<h4>${title}</h4>\n<pre>${escapeHtml(text)}</pre>`;
}
