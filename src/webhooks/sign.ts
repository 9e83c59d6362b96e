import { createHmac, randomBytes } from 'node:crypto';

const secretBytes = 32;
const prefix = 'whsec_';

/** Makes a random secret of 32 bytes. */
export const newSecret = (): Buffer => randomBytes(secretBytes);

/** A secret as its endpoint needs it: `whsec_` and base64. */
export const secretText = (secret: Buffer): string => `${prefix}${secret.toString('base64')}`;

/** What is signed. */
export interface Signed {
  /** The same whenever the same event is sent. */
  readonly id: string;
  /** When this request is sent. */
  readonly at: Date;
  readonly body: string;
}

/**
 * The headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature` of a request,
 * signed as Standard Webhooks describes it, so that libraries of many languages can verify them. There is one
 * signature for each secret: while a secret is being replaced, an endpoint may have either.
 */
export function signedHeaders({ id, at, body }: Signed, secrets: readonly Buffer[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const sign = (secret: Buffer) =>
    `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map(sign).join(' '),
  };
}

/** The secrets of an endpoint, as they are stored. */
export interface Secrets {
  readonly secret: Buffer;
  /** The secret before that; null if it was never replaced. */
  readonly previousSecret: Buffer | null;
  /** When the previous secret expires. */
  readonly previousSecretUntil: Date | null;
}

/** The secrets to sign with: the current one, followed by the previous one if it has not expired. */
export function secretsOf(
  { secret, previousSecret, previousSecretUntil }: Secrets,
  now: Date,
): readonly Buffer[] {
  const isValid = previousSecret !== null && previousSecretUntil !== null && now < previousSecretUntil;
  return isValid ? [secret, previousSecret] : [secret];
}
