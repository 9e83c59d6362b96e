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
  /** Where the reader is, and the token that was read last. */
  readonly state: JsonState;
  /** Reads the next token, of any type. */
  readonly tokens: JsonTokens;
  /** Reads the next token as a value of an expected type. */
  readonly values: JsonValues;
  /** Reads the data of a file. */
  readonly bytes: JsonBytes;
  /** Reads single tokens of the usual form, without a generator; the others read what it does not. */
  readonly fastPath: JsonFastPath;
}

/**
 * Creates a reader at the start of a text.
 * @param spools where the data of files goes; it is never in memory as one string
 * @param textChars longest string to keep in memory, in UTF-16 units; a longer one throws TooLarge
 */
export function createJsonReader(source: TextSource, spools: Spools, textChars: number): JsonReader {
  const state = new JsonState();
  const characters = new JsonCharacters(source, textChars);
  const tokens = new JsonTokens(state, characters);
  const values = new JsonValues(state, characters, tokens);
  const bytes = new JsonBytes(state, characters, tokens, values, spools);
  return { state, tokens, values, bytes, fastPath: new JsonFastPath(state, characters) };
}
