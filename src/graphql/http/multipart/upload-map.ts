import { InvalidMapError } from 'graphql-upload-ts';
import { ExpectedFile } from '../../context/expected-file.ts';

/** A file that a part will contain. */
export interface FilePlace {
  readonly upload: ExpectedFile;
  /**
   * Path of the list that the file belongs to, by the part's first path: `variables.input.attachments` for
   * `variables.input.attachments.0.file`. For a file outside of any list, its own path.
   */
  readonly list: string;
}

/** The expected files, by the names of their parts. */
export type FilePlaces = ReadonlyMap<string, FilePlace>;

/**
 * Puts an expected file at each path of the map: one for each part, even if the part has several paths.
 * @param map the JSON of the form's field `map`, not yet checked
 * @param operations is changed
 * @returns the files by part name, in the order of the map; a part without paths is left out
 * @throws InvalidMapError when the map does not list paths by part name, or when a path leads neither to a
 *   null in the operations nor to an absent member of one of their objects
 */
export function putExpectedFiles(map: unknown, operations: object): FilePlaces {
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new InvalidMapError('The map must be an object of part names and lists of paths');
  const places = new Map<string, FilePlace>();
  for (const [name, paths] of Object.entries(map)) {
    if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string'))
      throw new InvalidMapError('The map must name a list of paths for each part');
    const upload = new ExpectedFile();
    for (const path of paths as string[]) put(operations, path, upload);
    if (paths.length > 0) places.set(name, { upload, list: listOf(paths[0]) });
  }
  return places;
}

function put(operations: object, path: string, upload: ExpectedFile): void {
  const steps = path.split('.');
  const last = steps.pop()!;
  let at: unknown = operations;
  for (const step of steps) at = own(at, step);
  if (!isPlace(at, last))
    throw new InvalidMapError('Each path of the map must lead to a null in the operations');
  (at as Record<string, unknown>)[last] = upload;
}

/**
 * Whether a file may be put there: instead of a null, or of a member that the client left out. An item of a
 * list must be there, because a distant index would make the list billions of items long.
 */
const isPlace = (at: unknown, last: string): boolean =>
  hasMembers(at) &&
  last !== '__proto__' &&
  (Array.isArray(at) ? own(at, last) === null : own(at, last) == null);

const own = (at: unknown, step: string): unknown =>
  hasMembers(at) && Object.hasOwn(at, step) ? (at as Record<string, unknown>)[step] : undefined;

/** An earlier path may have put a file there, whose members are ours. */
const hasMembers = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(value instanceof ExpectedFile);

/**
 * `variables.input.attachments.0.file` belongs to `variables.input.attachments`. A file outside of any list
 * belongs to its own path.
 */
const listOf = (path: string): string => /^(.*)\.\d+(\.|$)/.exec(path)?.[1] ?? path;
