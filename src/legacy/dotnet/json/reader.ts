import type { Spools } from '../file-spool.ts';
import type { TextSource } from '../text-source.ts';
import { JsonFastPath } from './fast-path.ts';
import { JsonBytes } from './read-bytes.ts';
import { JsonCharacters } from './read-characters.ts';
import { JsonTokens } from './read-tokens.ts';
import { JsonValues } from './read-values.ts';
import { JsonState } from './reader-state.ts';

/** Json.NET's `JsonTextReader`, in parts. They share one state and one source of characters. */
export interface JsonReader {
  /** Where the reader is, and the token that it has read. */
  readonly state: JsonState;
  /** Tokens of any type. */
  readonly tokens: JsonTokens;
  /** The next token as a value of an expected type. */
  readonly values: JsonValues;
  /** The data of a file. */
  readonly bytes: JsonBytes;
  /** Whole objects of the usual form at once. */
  readonly fastPath: JsonFastPath;
}

/**
 * Creates a reader at the start of a text.
 * @param textChars longest string to keep in memory, in UTF-16 units; a longer one throws TooLarge. The data
 *   of files goes to a spool.
 */
export function createJsonReader(source: TextSource, spools: Spools, textChars: number): JsonReader {
  const state = new JsonState();
  const characters = new JsonCharacters(source, textChars);
  const tokens = new JsonTokens(state, characters);
  const values = new JsonValues(state, characters, tokens);
  const bytes = new JsonBytes(state, characters, tokens, values, spools);
  return { state, tokens, values, bytes, fastPath: new JsonFastPath(state, characters) };
}
