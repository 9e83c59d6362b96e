type Items = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/** Keys of texts of JSON in which GraphiQL writes headers down: its tabs, its history and its favorites. */
const holders = ['graphiql:tabState', 'graphiql:queries', 'graphiql:favorites'];
/** The text of the headers editor itself. */
const editorKey = 'graphiql:headers';
const choiceKey = 'graphiql:persistHeaders';
/** What GraphiQL keeps of the active tab once more. Each is written at a time of its own. */
const ofActiveTab = /^graphiql:(query|variables|headers)$/;

/**
 * Until its reader decides: the query needs room on a small screen, the panel beside it less; and no headers
 * are kept.
 */
const defaults: Readonly<Record<string, string>> = {
  'graphiql:docExplorerFlex': '0.25',
  'graphiql:editorFlex': '1.4',
  [choiceKey]: 'false',
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
    return value === null || !holders.includes(key) ? value : withHeaders(value, headers);
  };
  const write = (key: string, value: string): void => {
    if (items.getItem(choiceKey) === 'true') items.setItem(key, value);
    else if (key === editorKey) items.removeItem(key);
    else items.setItem(key, holders.includes(key) ? withoutHeaders(value) : value);
  };
  return {
    getItem(key) {
      const [, part] = ofActiveTab.exec(key) ?? [];
      const active = part === undefined ? undefined : activeTabOf(read('graphiql:tabState'));
      // Where it differs from all tabs, GraphiQL would open one more at each reload.
      return active === undefined ? read(key) : (active[part!] ?? null);
    },
    setItem(key, value) {
      write(key, value);
      if (key !== choiceKey || value === 'true') return;
      // GraphiQL clears its tabs when its reader decides against headers, and forgets the history.
      for (const holder of holders) {
        const kept = items.getItem(holder);
        if (kept !== null) write(holder, kept);
      }
      items.removeItem(editorKey);
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

/** Every tab and remembered query has headers: its own, or these. */
const withHeaders = (text: string, headers: string): string =>
  mapJson(text, (_key, value) =>
    typeof value === 'object' && value !== null && 'query' in value
      ? { ...value, headers: ('headers' in value ? value.headers : null) ?? headers }
      : value,
  );

/** Whatever is called headers is emptied, wherever it stands. */
const withoutHeaders = (text: string): string =>
  mapJson(text, (key, value) => (key === 'headers' ? null : value));

function mapJson(text: string, map: (key: string, value: unknown) => unknown): string {
  try {
    return JSON.stringify(JSON.parse(text, map));
  } catch {
    // Not ours, or cut off: GraphiQL begins anew.
    return '{}';
  }
}
