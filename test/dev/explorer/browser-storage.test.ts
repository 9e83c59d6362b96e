import { describe, expect, test } from 'vitest';
import { withoutCredentials } from '../../../src/dev/explorer/browser-storage.ts';

/* GraphiQL's storage as GraphiQL uses it: it writes texts under keys, some of them half a second late. */

const credential = 'Basic b3BlcmF0b3I6b3BlcmF0b3I=';
const ours = JSON.stringify({ Authorization: credential });
const query = '{ viewer { login } }';

function open() {
  const kept = new Map<string, string>();
  const storage = withoutCredentials(
    {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
      clear: () => kept.clear(),
      get length() {
        return kept.size;
      },
    },
    ours,
  );
  return { storage, kept, all: () => [...kept.values()].join('\n') };
}

const written: readonly [string, string][] = [
  ['graphiql:headers', ours],
  ['graphiql:tabState', JSON.stringify({ tabs: [{ query, headers: ours }], activeTabIndex: 0 })],
  ['graphiql:queries', JSON.stringify({ queries: [{ query, headers: ours }] })],
  ['graphiql:favorites', JSON.stringify({ favorites: [{ query, headers: ours }] })],
  // An editor that is not there yet has no text, and JSON leaves the member out.
  ['graphiql:tabState', JSON.stringify({ tabs: [{ id: '1', headers: ours }], activeTabIndex: 0 })],
];

describe('until the reader chooses to keep headers', () => {
  test.each(written)('no credential is stored under %s: %s', (key, text) => {
    const { storage, all } = open();
    storage.setItem(key, text);
    expect(all()).not.toContain(credential);
  });

  test('tabs and history are read back with the default headers', () => {
    const { storage } = open();
    for (const [key, text] of written.slice(0, 4)) storage.setItem(key, text);
    expect(JSON.parse(storage.getItem('graphiql:queries')!)).toEqual({ queries: [{ query, headers: ours }] });
    expect(storage.getItem('graphiql:headers')).toBe(ours);
  });
});

describe('once the reader has chosen to keep headers', () => {
  test.each(written)('the credential is stored under %s: %s', (key, text) => {
    const { storage, kept } = open();
    storage.setItem('graphiql:persistHeaders', 'true');
    storage.setItem(key, text);
    expect(kept.get(key)).toBe(text);
  });

  test('the choice against it removes what was stored, and what is written late is not stored', () => {
    const { storage, all } = open();
    storage.setItem('graphiql:persistHeaders', 'true');
    for (const [key, text] of written) storage.setItem(key, text);
    expect(all()).toContain(credential);
    storage.setItem('graphiql:persistHeaders', 'false');
    expect(all()).not.toContain(credential);
    for (const [key, text] of written) storage.setItem(key, text);
    expect(all()).not.toContain(credential);
  });
});
