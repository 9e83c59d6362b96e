// @ts-check
/* The public GraphQL API, as any client calls it. */

/** The gateway rejected the credential. */
export class NotSignedIn extends Error {}

/** Value of the Authorization header; in memory alone. */
let authorization = '';

/** @param {string} value */
export function signInWith(value) {
  authorization = value;
}

/**
 * @param {string} query
 * @param {object} [variables]
 * @returns {Promise<Record<string, any>>} the data
 */
async function execute(query, variables = {}) {
  // From the origin: the page's own address may hold a password, with which fetch refuses it.
  const response = await fetch(new URL('/graphql', location.origin), {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
    },
    body: JSON.stringify({ query, variables }),
    credentials: 'omit',
  });
  const answer = await response.json().catch(() => ({}));
  const problem = answer.errors?.[0];
  const said = problem?.message ?? `HTTP ${response.status}`;
  if (response.status === 401 || problem?.extensions?.code === 'UNAUTHENTICATED') throw new NotSignedIn(said);
  if (problem !== undefined || !answer.data) throw new Error(said);
  return answer.data;
}

const fields = `id state subject from createdAt dueAt settledAt failure suggestedAction rfcMessageId
  recipients { kind address state failure suggestedAction smtpReply }
  attempts { number startedAt phase outcome reply }`;

/**
 * Reads the open group's mails, and the numbers of all.
 * @param {{ key: string, filter: object, last: number, before?: string | undefined }[]} sections
 *   `before` is the cursor of a page, whose older mails are read
 * @param {string | null} ticket global id
 */
export function readLedger(sections, ticket) {
  const declared = sections
    .map(({ key }) => `$${key}: DeliveryFilter, $${key}Last: Int, $${key}Before: String`)
    .join(', ');
  const selected = sections.map(
    ({ key }) => `${key}: deliveries(filter: $${key}, last: $${key}Last, before: $${key}Before) {
      totalCount totalCountIsExact pageInfo { hasPreviousPage startCursor } nodes { ${fields} } }`,
  );
  const variables = sections.flatMap(({ key, filter, last, before }) => [
    [key, { ...filter, ...(ticket === null ? {} : { ticket }) }],
    [`${key}Last`, last],
    [`${key}Before`, before],
  ]);
  return execute(`query Ledger(${declared}) { ${selected.join('\n')} }`, Object.fromEntries(variables));
}

/** @returns {Promise<{ role: string, canMail: boolean }>} */
export async function readViewer() {
  const { viewer } = await execute('query Viewer { viewer { scopes person { role } } }');
  if (viewer === null) throw new NotSignedIn('Sign in to see the ledger.');
  return { role: viewer.person.role, canMail: viewer.scopes.includes('MAIL') };
}

/**
 * @param {string} reference
 * @returns {Promise<string | undefined>} the ticket's global id
 */
export async function findTicket(reference) {
  const data = await execute('query Find($by: TicketSelector!) { ticket(by: $by) { id } }', {
    by: { reference },
  });
  return data.ticket?.id;
}

/**
 * @param {import('./states.js').Action} action
 * @param {string} delivery
 * @returns {Promise<string | undefined>} why it was refused
 */
export async function change({ mutation, input = {} }, delivery) {
  const type = mutation === 'resolveDelivery' ? 'ResolveDeliveryInput' : 'DeliveryInput';
  const data = await execute(
    `mutation Change($input: ${type}!) {
      result: ${mutation}(input: $input) { ... on UserError { message } }
    }`,
    { input: { delivery, ...input } },
  );
  return data.result.message;
}
