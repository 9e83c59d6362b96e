import {
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';

/** Enough for every input of the schema. A recursive input type would never end. */
const maxDepth = 6;

/**
 * The operation of this name; the first one if there is none of this name; undefined without any operation.
 */
export function findOperation(
  document: DocumentNode | undefined,
  name?: string | null,
): OperationDefinitionNode | undefined {
  const operations = (document?.definitions ?? []).filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  return operations.find((node) => node.name?.value === name) ?? operations[0];
}

/**
 * Finds the places of type Upload in an operation's variables. They are dotted paths in which `*` stands for
 * the index of a list: `file`, `files.*`, `input.attachments.*.file`. Places more than six lists and objects
 * deep are left out.
 */
export function uploadPlaces(schema: GraphQLSchema, operation: OperationDefinitionNode): string[] {
  return (operation.variableDefinitions ?? []).flatMap(({ variable, type }) => {
    const input = typeFromAST(schema, type) as GraphQLInputType | undefined;
    return input === undefined ? [] : placesWithin(input, variable.name.value, 0);
  });
}

function placesWithin(type: GraphQLInputType, path: string, depth: number): string[] {
  if (depth > maxDepth) return [];
  if (isNonNullType(type)) return placesWithin(type.ofType, path, depth);
  if (isListType(type)) return placesWithin(type.ofType, `${path}.*`, depth + 1);
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).flatMap((field) =>
      placesWithin(field.type, `${path}.${field.name}`, depth + 1),
    );
  }
  return type.name === 'Upload' ? [path] : [];
}

/** Whether a path, such as `files.0`, names one of the places (`files.*`). */
export function isUploadPath(places: readonly string[], path: string): boolean {
  const shape = path.replaceAll(/\.\d+(?=\.|$)/g, '.*');
  return places.includes(shape);
}

/**
 * The path of the first place that is free, with numbers for `*`: neither taken by another file nor filled in
 * the variables that the user wrote. A `null` in the variables is free, because the multipart request
 * specification puts it where a file belongs.
 * @param places as `uploadPlaces` returns them; of a list, the first 100 elements are tried
 * @param taken the paths of the other files
 * @returns undefined when all places are taken
 */
export function freePath(
  places: readonly string[],
  taken: ReadonlySet<string>,
  variables: unknown,
): string | undefined {
  for (const place of places) {
    const [root, ...rest] = place.split('*');
    if (rest.length === 0) {
      if (!taken.has(place) && isFree(variables, place)) return place;
      continue;
    }
    // Only the first list is counted through; a list within a list starts at 0.
    for (let index = 0; index < 100; index += 1) {
      const path = `${root}${index}${rest.join('0')}`;
      if (!taken.has(path) && isFree(variables, path)) return path;
    }
  }
  return undefined;
}

/**
 * Free unless the author wrote a value there, or gave that list element another meaning (`{ upload: … }`).
 */
function isFree(variables: unknown, path: string): boolean {
  let at = variables;
  let isElement = false;
  for (const key of path.split('.')) {
    if (at === null || at === undefined) return true;
    if (typeof at !== 'object') return false;
    if (isElement && !(key in at) && Object.keys(at).length > 0) return false;
    isElement = Array.isArray(at);
    at = (at as Record<string, unknown>)[key];
  }
  return at === null || at === undefined;
}

/**
 * A copy of the variables with `null` at each path (`input.file`), whatever was there. Missing lists and
 * objects are created.
 */
export function withNulls(
  variables: Readonly<Record<string, unknown>> | undefined,
  paths: readonly string[],
): Record<string, unknown> {
  const copy = structuredClone(variables ?? {}) as Record<string, unknown>;
  for (const path of paths) {
    const keys = path.split('.');
    let at = copy as Record<string, unknown>;
    for (const [position, key] of keys.slice(0, -1).entries()) {
      const found = at[key];
      const next =
        typeof found === 'object' && found !== null ? found : /^\d+$/.test(keys[position + 1]!) ? [] : {};
      at[key] = next;
      at = next as Record<string, unknown>;
    }
    at[keys.at(-1)!] = null;
  }
  return copy;
}
