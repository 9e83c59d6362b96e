import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The documents that clients may send, by the ids that clients use for them. */
export interface TrustedDocuments {
  /** Finds a document by its id in the file, or by its SHA-256 in hexadecimal. */
  byId(id: string): string | undefined;
  /** Whether a text is one of the documents. */
  has(document: string): boolean;
}

/**
 * Reads a JSON object of documents by id, as GraphQL codegen writes it (`persisted-documents.json`).
 * @throws Error with a message for the operator who starts the program
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
