import { CommandError, type LooseContext, type OptionValues } from '../command.ts';
import { addressOf } from './client.ts';

/**
 * Subscribes, and yields the value of the subscription's only field for each event. Ends without an error
 * when `signal` is aborted, when the gateway completes the stream, when it cannot be reached or the
 * connection is lost, and on a failure that is worth a retry: 429, 5xx, or an error that is `retryable`. It
 * never subscribes again by itself; the caller can, when it chooses.
 * @throws CommandError when the gateway refuses the subscription, by another status (401 for the token) or by
 *   an error instead of the first event, or an event has other errors
 */
export type EventStream = <T extends object>(
  query: string,
  variables: object,
  signal: AbortSignal,
) => AsyncGenerator<T>;

interface StreamedAnswer {
  readonly data?: Readonly<Record<string, object | null>> | null;
  readonly errors?: readonly { message: string; extensions?: { retryable?: boolean } }[];
}

/**
 * Returns the function that subscribes to the gateway which the options or the environment name, the options
 * first. Nothing is sent before a stream is read.
 * @throws UsageError as `addressOf` does
 */
export function subscriberOf(ctx: LooseContext, values: OptionValues): EventStream {
  const { url, token } = addressOf(ctx, values);
  return async function* events<T extends object>(query: string, variables: object, signal: AbortSignal) {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
      },
      body: JSON.stringify({ query, variables }),
      signal,
    }).catch(() => undefined);
    if (response === undefined || response.status === 429 || response.status >= 500) return;
    if (!response.ok || response.body === null)
      throw new CommandError(`${url.origin} refused the subscription (HTTP ${response.status})`);
    for await (const text of dataOf(response.body)) {
      const { data, errors } = JSON.parse(text) as StreamedAnswer;
      if (errors?.some(({ extensions }) => extensions?.retryable === true)) return;
      if (errors !== undefined) throw new CommandError(errors.map(({ message }) => message).join('\n'));
      yield Object.values(data ?? {})[0] as T;
    }
  };
}

/** The data of each event. Ends when the connection is lost. */
async function* dataOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = '';
  try {
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: {'));
        if (data !== undefined) yield data.slice('data: '.length);
      }
    }
  } catch {
    // Cut, or interrupted.
  }
}
