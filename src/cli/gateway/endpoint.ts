import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, type LooseContext, type Option, one, UsageError, type Values } from '../command.ts';

/** Where the commands that ask a running gateway find it, and who asks. */
export const doorOptions = {
  url: {
    type: 'string',
    value: 'ADDRESS',
    help: 'of the gateway; absent: TICKETWIRE_URL, or http://127.0.0.1:4000',
  },
  token: {
    type: 'string',
    value: 'TOKEN',
    help: 'who asks; better TICKETWIRE_TOKEN, as others on this machine can see what is typed',
  },
} as const satisfies Record<string, Option>;

/** A gateway's GraphQL, as whoever holds the token. */
export interface Door {
  /**
   * The one field of an operation.
   * @throws CommandError with the refusal, in the gateway's words
   */
  ask<T extends object>(query: string, variables: object, call?: Call): Promise<T>;
}
export interface Call {
  /** Files for the variables of these paths. */
  readonly files?: readonly { readonly path: string; readonly file: File }[];
  /** Whether doing it twice does it once: then it is tried again when nobody knows what became of it. */
  readonly repeatable: boolean;
}

interface Answer {
  readonly data?: Readonly<Record<string, (object & { code?: string; message?: string }) | null>> | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}
/** Why it was not answered, and how long to wait before it is tried again; undefined: it is of no use. */
interface Failure {
  readonly message: string;
  readonly waitMs: number | undefined;
}

const tries = 6;
const longestWaitMs = 60_000;

/** @throws UsageError without a token or with an address that is none */
export function openDoor({ env, stderr }: LooseContext, values: Values): Door {
  const address = one(values, 'url') ?? env.TICKETWIRE_URL ?? 'http://127.0.0.1:4000';
  const token = one(values, 'token') ?? env.TICKETWIRE_TOKEN;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new UsageError(`TICKETWIRE_URL or --url must be http://… or https://…, not ${address}`);
  if (!token)
    throw new UsageError(
      'TICKETWIRE_TOKEN is missing: the token of whoever does this (`ticketwire token add LOGIN --name NAME` makes one)',
    );
  const url = new URL('graphql', address.endsWith('/') ? address : `${address}/`);
  return {
    async ask<T extends object>(query: string, variables: object, call: Call = { repeatable: true }) {
      for (let tried = 1; ; tried += 1) {
        const answer = await post(url, token, { query, variables }, call, tried);
        if (!('waitMs' in answer)) return fieldOf(answer) as T;
        if (answer.waitMs === undefined || tried === tries) throw new CommandError(answer.message);
        if (stderr.isTTY) stderr.write(`${answer.message}; trying again\n`);
        await sleep(answer.waitMs);
      }
    },
  };
}

async function post(
  url: URL,
  token: string,
  operation: { query: string; variables: object },
  { files = [], repeatable }: Call,
  tried: number,
): Promise<Answer | Failure> {
  const multipart = files.length > 0;
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/graphql-response+json',
    ...(multipart ? { 'graphql-preflight': '1' } : { 'content-type': 'application/json' }),
  };
  const backOff = 250 * 2 ** tried * (0.5 + Math.random() / 2);
  let response: Response;
  try {
    const body = multipart ? formOf(operation, files) : JSON.stringify(operation);
    response = await fetch(url, { method: 'POST', headers, body });
  } catch (error) {
    const { cause } = error as Error;
    const code = (cause as { code?: string } | undefined)?.code ?? (cause ?? (error as Error)).toString();
    const never = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
    const message = `${url.origin} does not answer (${code}): TICKETWIRE_URL or --url says where the gateway is`;
    return { message, waitMs: repeatable || never ? backOff : undefined };
  }
  return read(response, url, backOff, repeatable);
}

async function read(
  response: Response,
  url: URL,
  backOff: number,
  repeatable: boolean,
): Promise<Answer | Failure> {
  const text = await response.text();
  const { status, headers } = response;
  if (status === 401)
    return { message: `${url.origin} does not accept the token of TICKETWIRE_TOKEN`, waitMs: undefined };
  const busy = status === 429 || ((status === 502 || status === 503 || status === 504) && repeatable);
  if (busy) {
    const after = Number(headers.get('retry-after') ?? Number.NaN) * 1000;
    const waitMs = Math.min(Number.isNaN(after) ? backOff : after, longestWaitMs);
    return { message: `${url.origin} is not available (${status})`, waitMs };
  }
  const answer = parsed(text);
  if (answer === undefined)
    return { message: `${url.href} is no Ticketwire gateway: it answers ${status}`, waitMs: undefined };
  return answer;
}

function parsed(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as unknown;
    return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)
      ? (answer as Answer)
      : undefined;
  } catch {
    return undefined;
  }
}

/** @throws CommandError */
function fieldOf({ data, errors }: Answer): object {
  const [value] = Object.values(data ?? {});
  if (value === undefined || value === null)
    throw new CommandError(errors?.map(({ message }) => message).join('\n') ?? 'The gateway found nothing');
  if (value.code === undefined) return value;
  const { problems } = value as { problems?: { path: string[]; message: string }[] };
  const details = problems?.map(({ path, message }) => `\n  ${path.join('.')}: ${message}`).join('') ?? '';
  throw new CommandError(`${value.code}: ${value.message}${details}`);
}

/** By the GraphQL multipart request specification. */
function formOf(operation: object, files: NonNullable<Call['files']>): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify(operation));
  form.set('map', JSON.stringify(Object.fromEntries(files.map(({ path }, at) => [at, [path]]))));
  for (const [at, { file }] of files.entries()) form.set(String(at), file);
  return form;
}
