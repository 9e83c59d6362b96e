import { extname } from 'node:path';

/** The types that browsers send for common files. The gateway detects others by content. */
const types: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '.txt': 'text/plain',
    '.log': 'text/plain',
    '.csv': 'text/csv',
    '.md': 'text/markdown',
    '.html': 'text/html',
    '.json': 'application/json',
    '.xml': 'application/xml',
    '.pdf': 'application/pdf',
    '.zip': 'application/zip',
    '.eml': 'message/rfc822',
    '.png': 'image/png',
    '.jpg': 'image/jpeg',
    '.jpeg': 'image/jpeg',
    '.gif': 'image/gif',
    '.webp': 'image/webp',
    '.svg': 'image/svg+xml',
    '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  }),
);

/**
 * The media type of a file by the extension of its name, ignoring case: `text/plain` for `.txt`, without a
 * charset. `application/octet-stream` for unknown extensions. The file is not read.
 */
export const contentTypeOf = (path: string): string =>
  types.get(extname(path).toLowerCase()) ?? 'application/octet-stream';
