type Items = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/** Items of GraphiQL that contain request headers: its tabs, its history and its favorites. */
const holdsHeaders = /^graphiql:(tabState|queries|favorites)$/;
/** Items in which GraphiQL stores the active tab again. Each is written at a different time. */
const ofActiveTab = /^graphiql:(query|variables|headers)$/;

/**
 * Values until the user changes them: on a small screen the query needs more room than the panel beside it,
 * and headers are not stored.
 */
const defaults: Readonly<Record<string, string>> = {
  'graphiql:docExplorerFlex': '0.25',
  'graphiql:editorFlex': '1.4',
  'graphiql:persistHeaders': 'false',
};

/**
 * Wraps the browser's storage so that it contains no request headers, unless the user has chosen in
 * GraphiQL's settings to store them. An item that was stored without headers is read with the default ones,
 * so that neither a reload nor the history signs the user out.
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
