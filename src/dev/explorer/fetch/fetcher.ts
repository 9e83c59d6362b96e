import { type DocumentNode, OperationTypeNode, parse } from 'graphql';
import { readEvents } from './event-stream.ts';
import { findOperation, withNulls } from './upload-paths.ts';

/** A file, and the path of the variable that it is the value of: `input.attachments.0.file`. */
export interface MappedFile {
  readonly file: Blob & { readonly name: string };
  readonly path: string;
}

/** An operation as GraphiQL passes it. */
export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | undefined;
}

interface FetcherOptions {
  /** URL of the endpoint. */
  readonly endpoint: string;
  /** The files of the tab that is being run. */
  readonly files: () => readonly MappedFile[];
}

type Result = Record<string, unknown>;

/**
 * Creates GraphiQL's fetcher, which runs an operation by POST. Queries and mutations resolve to a result, and
 * are sent as a multipart request when there are files for variables that the operation declares.
 * Subscriptions resolve to an iterable of results, read from Server-Sent Events; ending the iteration closes
 * the connection. A response that is not GraphQL's JSON resolves to a result with an error that has the HTTP
 * status and the beginning of the text. The fetcher rejects only when the server cannot be reached or the
 * connection is lost.
 */
export function createFetcher({ endpoint, files }: FetcherOptions) {
  return async (
    given: OperationRequest,
    options?: { headers?: Record<string, string> },
  ): Promise<Result | AsyncIterable<Result>> => {
    const operation = findOperation(tryParse(given.query), given.operationName);
    // For a moment after a change of tabs GraphiQL still has the name of the last one's operation.
    const request = operation === undefined ? given : { ...given, operationName: operation.name?.value };
    const declared = new Set(operation?.variableDefinitions?.map((node) => node.variable.name.value));
    const sent = files().filter(({ path }) => declared.has(path.split('.')[0]!));
    const streams = operation?.operation === OperationTypeNode.SUBSCRIPTION;
    const abort = new AbortController();
    const response = await fetch(endpoint, {
      method: 'POST',
      ...encode(request, sent, {
        ...options?.headers,
        accept: streams ? 'text/event-stream' : 'application/graphql-response+json, application/json;q=0.9',
      }),
      signal: abort.signal,
    });
    const type = response.headers.get('content-type') ?? '';
    return response.body !== null && type.startsWith('text/event-stream')
      ? follow(response.body, abort)
      : readResult(response, type);
  };
}

/** GraphQL multipart request specification, when there are files; JSON otherwise. */
function encode(request: OperationRequest, files: readonly MappedFile[], given: Record<string, string>) {
  const headers = new Headers(given);
  // A cross-site form cannot set it, so that the server knows a script of its own origin.
  headers.set('graphql-preflight', '1');
  if (files.length === 0) {
    headers.set('content-type', 'application/json');
    return { headers, body: JSON.stringify(request) };
  }
  headers.delete('content-type');
  const paths = files.map(({ path }) => path);
  const body = new FormData();
  body.set('operations', JSON.stringify({ ...request, variables: withNulls(request.variables, paths) }));
  body.set(
    'map',
    JSON.stringify(Object.fromEntries(paths.map((path, index) => [index, [`variables.${path}`]]))),
  );
  for (const [index, { file }] of files.entries()) body.set(String(index), file, file.name);
  return { headers, body };
}

async function readResult(response: Response, type: string): Promise<Result> {
  const text = await response.text();
  if (/\bjson\b/.test(type)) {
    try {
      return JSON.parse(text) as Result;
    } catch {
      // Truncated JSON: reported below with what has arrived.
    }
  }
  return {
    errors: [{ message: `HTTP ${response.status} ${response.statusText}: ${text.slice(0, 500)}`.trim() }],
  };
}

/**
 * Distinct-connections mode of graphql-sse: `next` carries a result, `complete` ends. Stopping closes the
 * connection.
 */
function follow(body: ReadableStream<Uint8Array>, abort: AbortController): AsyncIterable<Result> {
  async function* results() {
    try {
      for await (const { event, data } of readEvents(body)) {
        if (event === 'complete') return;
        if (data !== '') yield JSON.parse(data) as Result;
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
  }
  const iterator = results();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => iterator.next(),
      // A generator that waits for the next event would not hear `return` before it came.
      return: () => {
        abort.abort();
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
}

function tryParse(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined;
  }
}
