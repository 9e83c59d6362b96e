/**
 * Timeouts of the phases of SMTP, in milliseconds. Shorter than in RFC 5321 §4.5.3.2, as connections are
 * pooled.
 */
export interface SmtpTimeouts {
  /** Name lookup, TCP, TLS, greeting, EHLO and sign-in together. */
  readonly connect: number;
  /** MAIL, every RCPT and DATA together. */
  readonly envelope: number;
  /** Between two pieces of the body. */
  readonly bodyStall: number;
  /** From the final dot to its reply. */
  readonly final: number;
}
/** The timeouts for mails of the outbox. */
export const defaultTimeouts: SmtpTimeouts = {
  connect: 60_000,
  envelope: 300_000,
  bodyStall: 180_000,
  final: 600_000,
};

/** A mail server: where and how to connect to it. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly secure: boolean;
  /**
   * Use of STARTTLS when `secure` is false. `require`: no mail without STARTTLS; `offer`: STARTTLS when the
   * server has it. Certificates are verified either way.
   */
  readonly startTls: 'require' | 'offer' | 'never';
  /** Undefined: no sign-in. */
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/**
 * Parses `smtp://user:password@host:port` (default port 587, or 25 without a user) or `smtps://…` (465). A
 * login is sent over TLS only, unless the server is this machine; `?tls=require`, `?tls=offer` and
 * `?tls=never` override that. Certificates are always verified. The protocol is not checked: any but `smtps:`
 * is read as `smtp:`.
 * @param password used instead of one in the URL
 * @throws TypeError for a text that is not a URL, URIError for a user or password with a malformed escape
 */
export function parseSmtpUrl(url: string, password?: string): SmtpServer {
  const { protocol, hostname, port, username, password: inUrl, searchParams } = new URL(url);
  const secure = protocol === 'smtps:';
  const user = username === '' ? undefined : decodeURIComponent(username);
  const host = hostname.replace(/^\[|\]$/g, '');
  const wish = searchParams.get('tls');
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return {
    host,
    port: port !== '' ? Number(port) : secure ? 465 : user === undefined ? 25 : 587,
    secure,
    startTls:
      wish === 'require' || wish === 'never' || wish === 'offer'
        ? wish
        : user !== undefined && !local
          ? 'require'
          : 'offer',
    user,
    password: password ?? (inUrl === '' ? undefined : decodeURIComponent(inUrl)),
  };
}
