type Items = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'clear' | 'length'>;

/** What GraphiQL keeps that holds request headers: its tabs do without them, but its history and favorites write them down. */
const holdsHeaders = /^graphiql:(tabState|queries|favorites)$/;
/** Of these only the history needs headers when it is read: a tab without them gets the default ones. */
const needsHeaders = /^graphiql:(queries|favorites)$/;
/** What GraphiQL keeps of the active tab once more. Each is written at a time of its own. */
const ofActiveTab = /^graphiql:(query|variables|headers)$/;

/** How GraphiQL divides the page until its reader does: the query needs room on a small screen, the panel beside it less. */
const division: Readonly<Record<string, string>> = {
  'graphiql:docExplorerFlex': '0.25',
  'graphiql:editorFlex': '1.4',
};

/**
 * The browser's storage without credentials, unless the reader has chosen in GraphiQL's settings that headers be kept. What is
 * read back without headers has the default ones, so that neither a reload nor the history signs anybody out.
 * @param headers text of the headers editor
 */
export function withoutCredentials(items: Items, headers: string): Items {
  return {
    getItem(key) {
      const [, part] = ofActiveTab.exec(key) ?? [];
      const active = part === undefined ? undefined : activeTabOf(items.getItem('graphiql:tabState'));
      // Where it differs from all tabs, GraphiQL would open one more at each reload.
      if (active !== undefined) return active[part!] ?? null;
      const value = items.getItem(key) ?? division[key] ?? null;
      return value === null || !needsHeaders.test(key) ? value : mapHeaders(value, (kept) => kept ?? headers);
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

function activeTabOf(state: string | null): Readonly<Record<string, string | null>> | undefined {
  try {
    const { tabs, activeTabIndex } = JSON.parse(state ?? '{}');
    return tabs?.[activeTabIndex];
  } catch {
    return undefined;
  }
}

function mapHeaders(text: string, map: (headers: unknown) => unknown): string {
  try {
    return JSON.stringify(JSON.parse(text, (key, value) => (key === 'headers' ? map(value) : value)));
  } catch {
    // Not ours, or cut off: GraphiQL begins anew.
    return '{}';
  }
}
