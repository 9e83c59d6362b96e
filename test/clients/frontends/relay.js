/* Relay 21. */
import { createClient } from 'graphql-sse';
import { Environment, Network, Observable, RecordSource, Store } from 'relay-runtime';

export function createRelay({ url, authorization }) {
  const ask = async ({ text }, variables) => {
    const headers = { 'content-type': 'application/json', authorization };
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(url, { method: 'POST', headers, body })).json();
  };
  const events = createClient({ url, headers: { authorization } });
  const subscribe = ({ text, name }, variables) =>
    Observable.create((sink) =>
      events.subscribe(
        { operationName: name, query: text, variables },
        { next: sink.next, error: sink.error, complete: sink.complete },
      ),
    );
  return new Environment({
    network: Network.create(ask, subscribe),
    store: new Store(new RecordSource()),
  });
}
