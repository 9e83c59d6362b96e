type Items = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/** Keys of the JSON in which GraphiQL stores headers: its tabs, its history and its favorites. */
const holders = ['graphiql:tabState', 'graphiql:queries', 'graphiql:favorites'];
/** The text of the headers editor itself. */
const editorKey = 'graphiql:headers';
const choiceKey = 'graphiql:persistHeaders';
/** Keys of further copies of the active tab. GraphiQL writes each at a different time. */
const ofActiveTab = /^graphiql:(query|variables|headers)$/;

/**
 * Values until the user changes them: more room for the query than for the panel beside it, and headers are
 * not stored.
 */
const defaults: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'graphiql:docExplorerFlex': '0.25',
    'graphiql:editorFlex': '1.4',
    [choiceKey]: 'false',
  }),
);

/**
 * Wraps the browser's storage for GraphiQL so that headers are not stored, unless the user has enabled that
 * in its settings. Once the user disables it, stored headers are removed. Tabs and queries without headers
 * are read back with the default ones, so that neither a reload nor the history signs the user out. Sizes of
 * panels that were never stored are read as ours.
 * @param items the browser's storage
 * @param headers the default headers: text of the headers editor in a new tab
 */
export function withoutCredentials(items: Items, headers: string): Items {
  const read = (key: string): string | null => {
    const value = items.getItem(key) ?? defaults.get(key) ?? null;
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
      // From the tabs alone: if a copy differs from all tabs, GraphiQL opens another tab at each reload.
      return active === undefined ? read(key) : (active[part!] ?? null);
    },
    setItem(key, value) {
      write(key, value);
      if (key !== choiceKey || value === 'true') return;
      // When headers are disabled, GraphiQL removes them from its tabs, but not from its history.
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

/** Gives each tab and stored query without headers these ones. */
const withHeaders = (text: string, headers: string): string =>
  mapJson(text, (_key, value) =>
    typeof value === 'object' && value !== null && 'query' in value
      ? { ...value, headers: ('headers' in value ? value.headers : null) ?? headers }
      : value,
  );

/** Empties every member called `headers`, at any depth. */
const withoutHeaders = (text: string): string =>
  mapJson(text, (key, value) => (key === 'headers' ? null : value));

function mapJson(text: string, map: (key: string, value: unknown) => unknown): string {
  try {
    return JSON.stringify(JSON.parse(text, map));
  } catch {
    // Not valid JSON, perhaps truncated: GraphiQL starts without it.
    return '{}';
  }
}
