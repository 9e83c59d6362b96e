/* The objects, arrays and constructors around a position in a JSON text, and the path to it. */

/** The kind of container that a position is in. `none`: at the top level. */
export type Container = 'none' | 'object' | 'array' | 'constructor';

/** The position in one container. */
export interface Position {
  readonly container: Container;
  /** In an object: the name of the current property. */
  property: string;
  /**
   * In an array or a constructor: the current index, -1 before the first item. At the top level it is 0, as
   * in Json.NET, whose comparisons of positions depend on it.
   */
  index: number;
}

/** The position before the first member or item of a container. */
export function position(container: Container): Position {
  return { container, property: '', index: container === 'none' ? 0 : -1 };
}

const special = /[. '/"[\]()\t\n\r\f\b\\\u0085\u2028\u2029]/;

/**
 * The path of nested positions, outermost first, as Json.NET writes it: `Attachments[0].FileName`. Empty at
 * the top level.
 */
export function pathOf(positions: readonly Position[]): string {
  let path = '';
  for (const { container, property, index } of positions) {
    if (container === 'object') {
      if (special.test(property)) path += `['${escapeProperty(property)}']`;
      else path += path === '' ? property : `.${property}`;
    } else if (container !== 'none') {
      path += `[${index}]`;
    }
  }
  return path;
}

const shortEscapes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '\t': '\\t',
    '\n': '\\n',
    '\r': '\\r',
    '\f': '\\f',
    '\b': '\\b',
    '\\': '\\\\',
    "'": "\\'",
  }),
);

function escapeProperty(property: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being escaped
  return property.replace(/[\u0000-\u001f\\'\u0085\u2028\u2029]/g, (char) => {
    return shortEscapes.get(char) ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
