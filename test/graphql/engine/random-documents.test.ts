import { execute } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GraphContext } from '../../../src/graphql/context/context.ts';
import type { Loaders } from '../../../src/graphql/context/loaders.ts';
import type { OperationPlugin } from '../../../src/graphql/execute/create-enveloped.ts';
import { schema } from '../../../src/graphql/execute/schema.ts';
import { encodeGlobalId } from '../../../src/platform/global-id.ts';
import { type Answer, asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';
import { drawsOf, type RandomDocument, randomDocument } from './random-document.ts';

/*
 * Random documents over the real schema through the real door, by the engine and by graphql-js alone: the
 * same answers, errors and codes. EXECUTOR_DOCUMENTS and EXECUTOR_SEED say how many and which; `npm run
 * test:executor` asks for thousands.
 */

const count = Number(process.env.EXECUTOR_DOCUMENTS ?? (soaking ? 75 : 30));
const seed = Number(process.env.EXECUTOR_SEED ?? 14);

/** The engine has no say in how an operation is executed. */
const byGraphqlJs: OperationPlugin = { onExecute: ({ setExecuteFn }) => setExecuteFn(execute) };
let isFailing = false;
/** Of what is loaded by id, every fifth fails meanwhile, one way or another. */
const failing: OperationPlugin = {
  onContextBuilding({ context, extendContext }) {
    if (isFailing) extendContext({ load: failingLoaders((context as GraphContext).load) });
  },
};
function failingLoaders(load: Loaders): Loaders {
  const wrap = <V>(loader: { load(id: number): Promise<V> }, which: number) => ({
    load: (id: number) => {
      if ((id + which) % 5 !== 0) return loader.load(id);
      if (id % 2 === 0) throw new Error('failed at once');
      return loader.load(id).then(() => Promise.reject(new Error('failed late')));
    },
  });
  const names = [
    'ticket',
    'message',
    'attachment',
    'delivery',
    'person',
    'attachmentsOf',
    'deliveryOf',
    'attemptsOf',
    'unseenOf',
  ] as const;
  const wrapped = Object.fromEntries(names.map((name, n) => [name, wrap(load[name] as never, n)]));
  return new Proxy(load, {
    get(target, name) {
      if (Object.hasOwn(wrapped, name)) return wrapped[name as string];
      const own = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

const env = { ROLES: 'web', PUBLIC_URL: 'https://desk.example.com' };
const now = () => new Date('2026-11-28T12:00:00Z');
const parts = new AsyncDisposableStack();
let ours: Gateway;
let theirs: Gateway;
beforeAll(async () => {
  ours = parts.use(await startGateway({ env, overrides: { now, operationPlugins: [failing] } }));
  theirs = parts.use(
    await startGateway({
      env,
      overrides: { now, operationPlugins: [failing, byGraphqlJs] },
      database: ours.database,
    }),
  );
});
afterAll(() => parts[Symbol.asyncDispose]());

const ids = ['Ticket', 'TicketMessage', 'Attachment', 'Delivery', 'Upload', 'Nothing'].flatMap((type) =>
  [1, 2, 47, 48, 999].map((id) => encodeGlobalId(type, id)),
);

interface Told {
  status: number;
  data: string;
  errors: string[] | undefined;
}
async function ask(
  gateway: Gateway,
  { query, variables }: RandomDocument,
  authorization: string | null,
): Promise<Told> {
  const headers = { 'x-request-id': 'the-same-for-both' };
  const { status, data, errors } = (await gateway.graphql<object>(query, variables, {
    authorization,
    headers,
  })) as Answer<object>;
  // As text: the order of fields counts, and that of errors does not.
  return { status, data: JSON.stringify(data), errors: errors?.map((error) => JSON.stringify(error)).sort() };
}

const isRace = (one: Told, other: Told): boolean =>
  one.errors !== undefined &&
  other.errors !== undefined &&
  one.data === other.data &&
  String(one.errors) !== String(other.errors);

async function compare(
  a: Gateway,
  b: Gateway,
  from: number,
  to: number,
  documentOf: (draw: ReturnType<typeof drawsOf>) => RandomDocument,
) {
  const seen = { data: 0, errors: 0, refused: 0, tooMuch: 0 };
  for (let n = from; n < to; n += 1) {
    const draw = drawsOf(seed * 1_000_003 + n);
    const document = documentOf(draw);
    const who = [asOperator, asOperator, asRequester, null][draw(4)]!;
    let [one, other] = [await ask(a, document, who), await ask(b, document, who)];
    // Of several errors of fields that may not be null, the one that comes first takes all with it: the
    // database decides which that is.
    for (let again = 0; again < 20 && isRace(one, other); again += 1)
      [one, other] = [await ask(a, document, who), await ask(b, document, who)];
    // The limit is the engine's, and graphql-js alone has none.
    if (one.errors?.some((error) => error.includes('DOCUMENT_TOO_COMPLEX'))) seen.tooMuch += 1;
    else expect({ n, document, ...one }).toEqual({ n, document, ...other });
    seen[one.data === undefined ? 'refused' : one.errors === undefined ? 'data' : 'errors'] += 1;
  }
  // Each difference has thrown.
  const found = `${to - from} documents, 0 differences: ${JSON.stringify(seen)}`;
  if (process.env.EXECUTOR_DOCUMENTS !== undefined) process.stdout.write(`${found}\n`);
  return seen;
}

/**
 * What differs from one moment to the next: seconds until something, what remains of a minute that each
 * gateway counts from its own first request, and cursors that move with every transaction of the cluster,
 * other tests' as well.
 */
const isOfTheMoment = ({ name }: { name: string }) =>
  /^(resetsInSeconds|remaining|deskCursor|deskEvents)$/.test(name);

test(`${count} random queries are answered as graphql-js answers them`, async () => {
  const seen = await compare(ours, theirs, 0, count, (draw) =>
    randomDocument(schema, 'query', draw, { ids, leaveOut: isOfTheMoment }),
  );
  expect([seen.data > count / 10, seen.errors > count / 10, seen.tooMuch < count / 10]).toEqual([
    true,
    true,
    true,
  ]);
}, 3_600_000);

test(`${Math.ceil(count / 3)} are so while much of what they load fails`, async () => {
  isFailing = true;
  try {
    const seen = await compare(ours, theirs, count, count + Math.ceil(count / 3), (draw) =>
      randomDocument(schema, 'query', draw, { ids, leaveOut: isOfTheMoment }),
    );
    expect(seen.errors).toBeGreaterThan(0);
  } finally {
    isFailing = false;
  }
}, 3_600_000);

// `npm test` runs mutations in other tests, but none at random.
const isLong = soaking || process.env.EXECUTOR_DOCUMENTS !== undefined;
test.runIf(isLong)(
  `${Math.ceil(count / 3)} random mutations do and answer the same on two desks`,
  async () => {
    await using one = await startGateway({ env, overrides: { now } });
    await using other = await startGateway({ env, overrides: { now, operationPlugins: [byGraphqlJs] } });
    // What differs from one desk to another: times of the database, and what is drawn by lot.
    const leaveOut = ({ name, type }: { name: string; type: unknown }) =>
      String(type).startsWith('DateTime') ||
      isOfTheMoment({ name }) ||
      /rfcMessageId|previewHash|source|sha256|downloadUrl|raw/i.test(name);
    const write = (draw: ReturnType<typeof drawsOf>) =>
      randomDocument(schema, 'mutation', draw, { ids, leaveOut });
    const seen = await compare(one, other, 0, Math.ceil(count / 3), write);
    expect(seen.data + seen.errors).toBeGreaterThan(0);
    expect(await one.counts()).toEqual(await other.counts());
  },
  3_600_000,
);
