type Items = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/** What GraphiQL keeps that holds request headers: its tabs do without them, but its history and favorites write them down. */
const holdsHeaders = /^graphiql:(tabState|queries|favorites)$/;

/**
 * The browser's storage without credentials, unless the reader has chosen in GraphiQL's settings that headers be kept. What is
 * read back without headers has the default ones, so that neither a reload nor the history signs anybody out.
 * @param headers text of the headers editor
 */
export function withoutCredentials(items: Items, headers: string): Items {
  return {
    getItem(key) {
      const value = items.getItem(key);
      return value === null || !holdsHeaders.test(key) ? value : mapHeaders(value, (kept) => kept ?? headers);
    },
    setItem(key, value) {
      const keep = items.getItem('graphiql:persistHeaders') === 'true' || !holdsHeaders.test(key);
      items.setItem(key, keep ? value : mapHeaders(value, () => null));
    },
    removeItem: (key) => items.removeItem(key),
    clear: () => items.clear(),
    get length() {
      return items.length;
    },
  };
}

function mapHeaders(text: string, map: (headers: unknown) => unknown): string {
  try {
    return JSON.stringify(JSON.parse(text, (key, value) => (key === 'headers' ? map(value) : value)));
  } catch {
    // Not ours, or cut off: GraphiQL begins anew.
    return '{}';
  }
}
