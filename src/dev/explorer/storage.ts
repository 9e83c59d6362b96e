type Items = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/**
 * What GraphiQL keeps that holds request headers: its tabs do without them, but its history and favorites
 * write them down.
 */
const holdsHeaders = /^graphiql:(tabState|queries|favorites)$/;
/** What GraphiQL keeps of the active tab once more. Each is written at a time of its own. */
const ofActiveTab = /^graphiql:(query|variables|headers)$/;

/**
 * Until its reader decides: the query needs room on a small screen, the panel beside it less; and no headers
 * are kept.
 */
const defaults: Readonly<Record<string, string>> = {
  'graphiql:docExplorerFlex': '0.25',
  'graphiql:editorFlex': '1.4',
  'graphiql:persistHeaders': 'false',
};

/**
 * The browser's storage without credentials, unless the reader has chosen in GraphiQL's settings that headers
 * be kept. What is read back without headers has the default ones, so that neither a reload nor the history
 * signs anybody out.
 * @param headers text of the headers editor
 */
export function withoutCredentials(items: Items, headers: string): Items {
  const read = (key: string): string | null => {
    const value = items.getItem(key) ?? defaults[key] ?? null;
    return value === null || !holdsHeaders.test(key)
      ? value
      : mapItems(value, ({ headers: kept }) => kept ?? headers);
  };
  return {
    getItem(key) {
      const [, part] = ofActiveTab.exec(key) ?? [];
      const active = part === undefined ? undefined : activeTabOf(read('graphiql:tabState'));
      // Where it differs from all tabs, GraphiQL would open one more at each reload.
      return active === undefined ? read(key) : (active[part!] ?? null);
    },
    setItem(key, value) {
      const keep = items.getItem('graphiql:persistHeaders') === 'true' || !holdsHeaders.test(key);
      items.setItem(key, keep ? value : mapItems(value, () => null));
    },
    removeItem: (key) => items.removeItem(key),
    clear: () => items.clear(),
    get length() {
      return items.length;
    },
  };
}

function activeTabOf(state: string | null): Readonly<Record<string, string | null>> | undefined {
  try {
    const { tabs, activeTabIndex } = JSON.parse(state ?? '{}');
    return tabs?.[activeTabIndex];
  } catch {
    return undefined;
  }
}

interface Item {
  readonly query: unknown;
  readonly headers?: unknown;
}
const isItem = (value: unknown): value is Item =>
  typeof value === 'object' && value !== null && 'query' in value;

/** Every tab or remembered query of a text of JSON, with other headers. */
function mapItems(text: string, headersOf: (item: Item) => unknown): string {
  try {
    return JSON.stringify(
      JSON.parse(text, (_key, value) => (isItem(value) ? { ...value, headers: headersOf(value) } : value)),
    );
  } catch {
    // Not ours, or cut off: GraphiQL begins anew.
    return '{}';
  }
}
