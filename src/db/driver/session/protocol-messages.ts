/** The letters with which PostgreSQL's messages begin, as bytes. */
export const letters = {
  bind: 66,
  bindComplete: 50,
  dataRow: 68,
  errorResponse: 69,
  keyData: 75,
  query: 81,
  ready: 90,
  sync: 83,
  terminate: 88,
} as const;
/** Bytes of a message's head: its letter and its length. */
export const headBytes = 5;

/** Number of bytes of the message that begins at `at`, with its head. The head must be in `data`. */
export const sizeAt = (data: Buffer, at: number): number => 1 + data.readUInt32BE(at + 1);

/** The message of a simple query, which may have several statements. */
export function queryMessage(text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  return Buffer.concat([head(letters.query, body.length), body]);
}

/** The message that binds a prepared statement without parameters to the unnamed portal. */
export function bindMessage(statement: string): Buffer {
  // After the portal's name and the statement's: no formats, no parameters, no formats of the result.
  const body = Buffer.from(`\0${statement}\0\0\0\0\0\0\0`);
  return Buffer.concat([head(letters.bind, body.length), body]);
}

function head(letter: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(headBytes);
  bytes[0] = letter;
  bytes.writeUInt32BE(4 + bodyBytes, 1);
  return bytes;
}

/**
 * The first column of a `DataRow`, in PostgreSQL's text format. It must not be null, which is not checked:
 * the result would be an empty text.
 * @param row the whole message, with its head
 */
export function firstColumnOf(row: Buffer): string {
  const at = headBytes + 2;
  return row.toString('utf8', at + 4, at + 4 + row.readInt32BE(at));
}
