import { setTimeout as sleep } from 'node:timers/promises';
import {
  CommandError,
  type LooseContext,
  type Option,
  type OptionValues,
  one,
  UsageError,
} from '../command.ts';
import { localUrl, localUrlHelp } from './local-url.ts';

/** The options `--url` and `--token` of the commands that call a running gateway. */
export const gatewayOptions = {
  url: {
    type: 'string',
    value: 'ADDRESS',
    help: `address of the gateway (default TICKETWIRE_URL, or ${localUrlHelp})`,
  },
  token: {
    type: 'string',
    value: 'TOKEN',
    help: 'access token; prefer TICKETWIRE_TOKEN, as other users can see command lines',
  },
} as const satisfies Record<string, Option>;

/** A client of the GraphQL endpoint of a running gateway. */
export interface GatewayClient {
  /**
   * Executes an operation with one field, by POST. It is tried up to six times in all: after the status 429,
   * and when the connection is refused or the host's name is not found. A `repeatable` operation is also
   * tried again after 502, 503 and 504, and after any other failure before the response has ended. Between
   * two tries it waits as many seconds as `Retry-After` says, at most a minute; without that header, a pause
   * that doubles each time, from at most half a second to at most 8 s. On a terminal, each further try is
   * announced on stderr.
   * @param query must select `... on UserError { code message }` of a result union, and `problems` of
   *   `InvalidInputError` for their lines: a refusal is known by its `code`, which no other value may have
   * @param options if omitted, no files are sent and the operation is `repeatable`
   * @returns the field's value, which is not null
   * @throws CommandError when the operation is refused (`CODE: message`, then one line per problem), or its
   *   result is of a type of which the query selects nothing; with the messages of the response's errors,
   *   when the value is null; and with a message of our own when the token is rejected, when what answers is
   *   not a gateway, or when the last try fails
   */
  execute<T extends object>(query: string, variables: object, options?: RequestOptions): Promise<T>;
}
/** How an operation is sent. */
export interface RequestOptions {
  /**
   * Files to upload, each with the path of its variable: `variables.input.attachments.0.file`. None by
   * default. They are read again for each try.
   */
  readonly files?: readonly { readonly path: string; readonly file: File }[];
  /**
   * Whether the operation is idempotent, and may be retried when its outcome is unknown. It is true by
   * default only without any options.
   */
  readonly repeatable: boolean;
}

interface GraphqlResponse {
  readonly data?: Readonly<Record<string, (object & { code?: string; message?: string }) | null>> | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}
/** Why a request failed, and when to retry it. `waitMs` is undefined when it must not be retried. */
interface Failure {
  readonly message: string;
  readonly waitMs: number | undefined;
}

const tries = 6;
const longestWaitMs = 60_000;

/**
 * The URL of the gateway's GraphQL endpoint and the access token: from the options, else from TICKETWIRE_URL
 * and TICKETWIRE_TOKEN. Without any address, or with an empty TICKETWIRE_URL, it is that of a gateway on this
 * machine (`localUrl`). There is no token by default.
 * @throws UsageError when the token is missing, is empty or has a space or other characters than ASCII's
 *   visible ones, or the address does not begin with `http://` or `https://`, is no URL or has a user or a
 *   password. The message repeats nothing of either
 */
export function addressOf({ env }: LooseContext, values: OptionValues): { url: URL; token: string } {
  const address = one(values, 'url') ?? (env.TICKETWIRE_URL || localUrl(env));
  const given = one(values, 'token');
  const token = given ?? env.TICKETWIRE_TOKEN;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new UsageError('TICKETWIRE_URL or --url must be http://… or https://…');
  const { username, password } = new URL(address);
  if (username !== '' || password !== '')
    throw new UsageError(
      'TICKETWIRE_URL or --url must have no user and no password: TICKETWIRE_TOKEN signs in',
    );
  if (token === undefined || token === '')
    throw new UsageError(
      'TICKETWIRE_TOKEN is missing. ' +
        '`npm run -s ticketwire -- token add LOGIN --name NAME --scope read,write,mail` creates a token.',
    );
  // The value is not shown, because it may be a secret with a line break or other text around it.
  if (!/^[!-~]+$/.test(token))
    throw new UsageError(`${given === undefined ? 'TICKETWIRE_TOKEN' : '--token'} is not a token`);
  return { url: new URL('graphql', address.endsWith('/') ? address : `${address}/`), token };
}

/**
 * Creates a client from the options and the environment. Nothing is sent yet.
 * @throws UsageError as {@link addressOf} does
 */
export function connectGateway(ctx: LooseContext, values: OptionValues): GatewayClient {
  const { url, token } = addressOf(ctx, values);
  const { stderr } = ctx;
  return {
    async execute<T extends object>(
      query: string,
      variables: object,
      options: RequestOptions = { repeatable: true },
    ) {
      for (let tried = 1; ; tried += 1) {
        const answer = await post(url, token, { query, variables }, options, tried);
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
  { files = [], repeatable }: RequestOptions,
  tried: number,
): Promise<GraphqlResponse | Failure> {
  const multipart = files.length > 0;
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/graphql-response+json',
    ...(multipart ? { 'graphql-preflight': '1' } : { 'content-type': 'application/json' }),
  };
  const backOff = 250 * 2 ** tried * (0.5 + Math.random() / 2);
  let response: Response | undefined;
  try {
    const body = multipart ? formOf(operation, files) : JSON.stringify(operation);
    response = await fetch(url, { method: 'POST', headers, body });
    return answerOf(response, await response.text(), url, backOff, repeatable);
  } catch (error) {
    const { cause } = error as Error;
    const code = (cause as { code?: string } | undefined)?.code ?? (cause ?? (error as Error)).toString();
    const never = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
    const message =
      response === undefined
        ? `${url.origin} does not answer (${code}): set TICKETWIRE_URL or --url to the gateway`
        : `${url.origin} broke off its answer (${code})`;
    return { message, waitMs: repeatable || never ? backOff : undefined };
  }
}

function answerOf(
  response: Response,
  text: string,
  url: URL,
  backOff: number,
  repeatable: boolean,
): GraphqlResponse | Failure {
  const { status, headers } = response;
  if (status === 401)
    return { message: `${url.origin} rejected the token in TICKETWIRE_TOKEN`, waitMs: undefined };
  const busy = status === 429 || ((status === 502 || status === 503 || status === 504) && repeatable);
  if (busy) {
    const after = Number(headers.get('retry-after') ?? Number.NaN) * 1000;
    const waitMs = Math.min(Number.isNaN(after) ? backOff : after, longestWaitMs);
    return { message: `${url.origin} is not available (${status})`, waitMs };
  }
  const answer = parsed(text);
  if (answer === undefined)
    return {
      message: `${url.href} is not a Ticketwire gateway: it responds with ${status}`,
      waitMs: undefined,
    };
  return answer;
}

function parsed(text: string): GraphqlResponse | undefined {
  try {
    const answer = JSON.parse(text) as unknown;
    return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)
      ? (answer as GraphqlResponse)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The value of the operation's field.
 * @throws CommandError for a refusal, a null, and a result without any member: the query selects nothing of
 *   its type, so it may be a refusal as well
 */
function fieldOf({ data, errors }: GraphqlResponse): object {
  const [[name, value] = []] = Object.entries(data ?? {});
  if (value === undefined || value === null)
    throw new CommandError(
      errors?.map(({ message }) => message).join('\n') ?? `There is no such ${name ?? 'result'}`,
    );
  if (hasNoMember(value))
    throw new CommandError(`The gateway's answer has a type that this version does not know`);
  if (value.code === undefined) return value;
  const { problems } = value as { problems?: { path: string[]; message: string }[] };
  const details = problems?.map(({ path, message }) => `\n  ${path.join('.')}: ${message}`).join('') ?? '';
  throw new CommandError(`${value.code}: ${value.message}${details}`);
}

const hasNoMember = (value: object): boolean => !Array.isArray(value) && Object.keys(value).length === 0;

/** Encodes a request as the GraphQL multipart request specification says. */
function formOf(operation: object, files: NonNullable<RequestOptions['files']>): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify(operation));
  form.set('map', JSON.stringify(Object.fromEntries(files.map(({ path }, at) => [at, [path]]))));
  for (const [at, { file }] of files.entries()) form.set(String(at), file);
  return form;
}
