import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The documents that clients may send, by the ids that clients use for them. */
export interface TrustedDocuments {
  /**
   * Finds a document's text by its id in the file, or by its SHA-256 in lower-case hexadecimal. Either may
   * have the prefix `sha256:`. Undefined for an unknown id.
   */
  byId(id: string): string | undefined;
  /** Whether a text is exactly one of the documents. */
  has(document: string): boolean;
}

/**
 * Reads a file with a JSON object of documents by id, as GraphQL codegen writes it
 * (`persisted-documents.json`). The documents are not parsed.
 * @throws Error with a message for the administrator who starts the program, when the file cannot be read, is
 *   not JSON, or is not an object of one or more texts
 */
export function readTrustedDocuments(path: string): TrustedDocuments {
  const documents = documentsOf(path, parsed(path));
  const texts = new Set(Object.values(documents));
  const ids = new Map([...texts].map((text) => [createHash('sha256').update(text).digest('hex'), text]));
  for (const [id, text] of Object.entries(documents)) ids.set(id.replace(/^sha256:/, ''), text);
  return { byId: (id) => ids.get(id.replace(/^sha256:/, '')), has: (document) => texts.has(document) };
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`"${path}" cannot be read as JSON: ${(error as Error).message}`, { cause: error });
  }
}

function documentsOf(path: string, value: unknown): Record<string, string> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || Object.keys(value).length === 0)
    throw new Error(`"${path}" must be an object of documents by their ids, with one at least`);
  if (Object.values(value).some((text) => typeof text !== 'string'))
    throw new Error(`"${path}" must have a text for each id`);
  return value as Record<string, string>;
}
