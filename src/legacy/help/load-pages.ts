import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { bareReply, type LegacyReply } from '../reply.ts';
import { helpPage, helpStyle } from './page.ts';

/**
 * The origin in the samples. It is replaced by the caller's origin if that is safe in a shell command and in
 * HTML.
 */
const sampleOrigin = 'http://localhost:4000';
const isPlainOrigin = (origin: string) => /^https?:\/\/[\w.:[\]-]+$/.test(origin);

/**
 * Loads the help page, and the OpenAPI document from its file.
 * @returns a function that makes the reply with one of them; 405 for any method but GET and HEAD. The samples
 *   of the help page use `origin`, the one by which the reader came, unless it has characters that are not
 *   safe in a shell command or in HTML.
 * @throws the error of Node when the file cannot be read
 */
export function loadPages(): (
  page: 'help' | 'openapi',
  request: IncomingMessage,
  origin: string,
) => LegacyReply {
  const style = createHash('sha256').update(helpStyle).digest('base64');
  const policy =
    `default-src 'none'; style-src 'sha256-${style}'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  const documents = {
    help: { type: 'text/html; charset=utf-8', body: Buffer.from(helpPage()) },
    openapi: {
      type: 'application/yaml; charset=utf-8',
      body: readFileSync(new URL('../../../schema/openapi.yaml', import.meta.url)),
    },
  };
  return (page, request, origin) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return bareReply(405, { Allow: 'GET, HEAD' });
    const { type, body: made } = documents[page];
    const called = page === 'help' && isPlainOrigin(origin);
    const body = called ? Buffer.from(made.toString().replaceAll(sampleOrigin, origin)) : made;
    const headers = {
      ...bareReply(200).headers,
      'Content-Type': type,
      'Content-Length': body.length,
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
    };
    return { status: 200, headers, body };
  };
}
