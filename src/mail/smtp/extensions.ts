/** The extensions of an EHLO reply that matter here (RFC 5321 §4.1.1.1). */
export interface Extensions {
  /** Whether the server offers SMTPUTF8. */
  readonly smtpUtf8: boolean;
  /** The size limit in octets; undefined when the server announces none, or 0. */
  readonly sizeLimit: number | undefined;
}

/**
 * Parses the reply to EHLO. Never throws. The first line is a greeting, and a reply to HELO has no other
 * line.
 * @param answer the whole reply with its codes; `false` before any reply, as Nodemailer has it: no extensions
 */
export function readExtensions(answer: string | false): Extensions {
  const lines = (answer || '').split(/\r?\n/).slice(1);
  const offers = new Map(lines.map((line) => wordsOf(line)));
  const size = offers.get('SIZE') ?? '';
  return {
    smtpUtf8: offers.has('SMTPUTF8'),
    sizeLimit: /^\d{1,15}$/.test(size) ? Number(size) || undefined : undefined,
  };
}

/** `250-SIZE 10240000`: the keyword, in any case, and its first parameter. */
function wordsOf(line: string): [string, string] {
  const [keyword = '', parameter = ''] = line
    .replace(/^\d{3}[ -]?/, '')
    .trim()
    .split(/[\s=]+/);
  return [keyword.toUpperCase(), parameter];
}
