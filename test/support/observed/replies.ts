import { subscribe } from 'node:diagnostics_channel';
import type { Canary } from './canary.ts';

/** What Node's fetch tells of a request on its way, by undici's documented channels. */
interface Told {
  readonly request: { readonly origin: string; readonly headers: readonly string[] };
  readonly response?: { readonly headers: readonly Buffer[] };
  readonly chunk?: Buffer;
}

const canaries = new Map<string, Canary>();

/** Passes a reply, or a part of one, to the canary of the gateway that sent it. */
export function heard(url: string, text: string): void {
  canaries.get(new URL(url).origin)?.wrote('replies', text);
}

const tell = (name: string, listen: (canary: Canary, told: Told) => void) =>
  subscribe(`undici:request:${name}`, (told) => {
    const canary = canaries.get((told as Told).request.origin);
    if (canary !== undefined) listen(canary, told as Told);
  });

tell('create', (canary, { request: { headers } }) => {
  const at = headers.findIndex((name, n) => n % 2 === 0 && name.toLowerCase() === 'authorization');
  if (at >= 0) canary.sent(headers[at + 1], undefined);
});
tell('headers', (canary, { response }) =>
  canary.wrote('replies', Buffer.concat(response!.headers).toString()),
);
tell('bodyChunkReceived', (canary, { chunk }) => {
  if (!canary.listens('replies')) return;
  const text = chunk!.toString();
  canary.gave(text);
  canary.wrote('replies', text);
});

/** Lets a canary see every reply of the gateway at `url`, whoever asks by fetch or by `sendRaw`. */
export function watchReplies(url: string, canary: Canary): Disposable {
  const { origin } = new URL(url);
  canaries.set(origin, canary);
  return { [Symbol.dispose]: () => void canaries.delete(origin) };
}
