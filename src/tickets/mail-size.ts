import type { AppendedRow, NewFile, NewMessageRow } from './append-statement.ts';
import type { DeskContext } from './desk.ts';
import type { AddTicketMessageInput } from './message-input.ts';

export function mailBytesUpperBound(input: AddTicketMessageInput, files: readonly NewFile[]): number {
  return (
    65536 +
    Buffer.byteLength(input.body) * 8 +
    files.reduce((sum, file) => sum + Math.ceil(file.size * 1.4) + 2048, 0)
  );
}

export async function measuredMailBytes(
  _ctx: DeskContext,
  row: NewMessageRow,
  _answer: AppendedRow,
): Promise<number> {
  return row.email!.mailBytes;
}
