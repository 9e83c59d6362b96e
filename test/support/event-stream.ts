/** One event off the wire. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data:
    | {
        data?: Record<string, unknown> | null;
        errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
      }
    | undefined;
}

export interface OpenedStream {
  readonly response: Response;
  /** The last id that was sent, also without an event. */
  readonly lastId: string | undefined;
  /** The next event; undefined: the stream has ended. @throws when it was cut */
  next(): Promise<StreamEvent | undefined>;
  leave(): void;
}

/** Asks for a stream of events, and reads it as a browser's EventSource would. */
export async function openStream(
  url: string,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenedStream> {
  const leaving = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: leaving.signal,
  });
  const chunks = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let lastId: string | undefined;
  return {
    response,
    get lastId() {
      return lastId;
    },
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          const event = parse(block);
          lastId = event?.id ?? lastId;
          // Without data it is no event.
          if (event !== undefined && /^data:/m.test(block)) return event;
          continue;
        }
        const { done, value } = await chunks.read();
        if (done) return undefined;
        text += value;
      }
    },
    leave: () => leaving.abort(),
  };
}

function parse(block: string): StreamEvent | undefined {
  const lines = block.split('\n').filter((line) => !line.startsWith(':') && line !== '');
  if (lines.length === 0) return undefined;
  const fieldOf = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .replace(/^ /, '');
  const data = fieldOf('data');
  return {
    event: fieldOf('event') ?? 'message',
    id: fieldOf('id'),
    data: data ? JSON.parse(data) : undefined,
  };
}
