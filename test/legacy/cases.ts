import { readFileSync } from 'node:fs';

/** One observed call of the old service; see `about` in cases.json. */
export interface LegacyCase {
  readonly id: string;
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunked: boolean;
  readonly body?: string;
  readonly bodyBase64?: string;
  /** What the action did instead of its work: these cases are about the reply writer alone. */
  readonly actionResult?: string;
  readonly expect: {
    readonly status: number;
    readonly contentType: string | null;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | null;
    readonly bodyUtf16leWithBom?: string;
  };
  readonly bound?: BoundPost | null;
  readonly textIsOurs?: boolean;
}

export interface BoundPost {
  readonly TicketREF: string | null;
  readonly TicketId: number | null;
  readonly Message: string | null;
  readonly Html: boolean;
  readonly IsPrivate: boolean;
  readonly IsMobileDevice: boolean;
  readonly Attachments: readonly (BoundAttachment | null)[] | null;
  readonly SendViaOutboundEmail: boolean;
  readonly SendViaOutboundEmailFrom: string | null;
  readonly SendViaOutboundEmailCc: readonly (string | null)[] | null;
  readonly SendViaOutboundEmailBcc: readonly (string | null)[] | null;
}

export interface BoundAttachment {
  readonly FileName: string | null;
  readonly ContentType: string | null;
  readonly ContentLength: number;
  readonly Data: string | null;
}

const file = new URL('./cases.json', import.meta.url);
export const cases: readonly LegacyCase[] = JSON.parse(readFileSync(file, 'utf8')).cases;

export function bodyOf({ body, bodyBase64 }: LegacyCase): Buffer {
  return bodyBase64 === undefined ? Buffer.from(body ?? '') : Buffer.from(bodyBase64, 'base64');
}

export function expectedBody({ expect: { body, bodyUtf16leWithBom } }: LegacyCase): Buffer {
  if (bodyUtf16leWithBom === undefined) return Buffer.from(body ?? '');
  return Buffer.from(`\ufeff${bodyUtf16leWithBom}`, 'utf16le');
}
