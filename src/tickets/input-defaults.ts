import type { AddTicketMessageInput, EmailReplyInput } from './message-input.ts';

/** What a message is unless its author says otherwise. The schema shows these as its default values. */
export const messageDefaults = {
  format: 'TEXT',
  visibility: 'PUBLIC',
  isMobileDevice: false,
  attachments: [],
} as const satisfies Partial<AddTicketMessageInput>;

export const emailDefaults = {
  cc: [],
  bcc: [],
  cancelIf: [],
  quote: 'NONE',
  autoSubmitted: false,
} as const satisfies Partial<EmailReplyInput>;

type Optional<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]?: T[P] | null | undefined };
type GivenEmail = Optional<EmailReplyInput, keyof typeof emailDefaults>;

/** The command's input as its callers give it: absent and null both mean the default. */
export type GivenMessageInput = Omit<
  Optional<AddTicketMessageInput, keyof typeof messageDefaults>,
  'email'
> & { readonly email?: GivenEmail | null | undefined };

/**
 * Every call of one meaning becomes one input, so that a repeated call has the fingerprint of the first one.
 */
export function withDefaults(given: GivenMessageInput): AddTicketMessageInput {
  const { email } = given;
  return {
    ...given,
    format: given.format ?? messageDefaults.format,
    visibility: given.visibility ?? messageDefaults.visibility,
    isMobileDevice: given.isMobileDevice ?? messageDefaults.isMobileDevice,
    attachments: given.attachments ?? messageDefaults.attachments,
    email: email == null ? null : emailWithDefaults(email),
  };
}

const emailWithDefaults = (given: GivenEmail): EmailReplyInput => ({
  ...given,
  cc: given.cc ?? emailDefaults.cc,
  bcc: given.bcc ?? emailDefaults.bcc,
  cancelIf: given.cancelIf ?? emailDefaults.cancelIf,
  quote: given.quote ?? emailDefaults.quote,
  autoSubmitted: given.autoSubmitted ?? emailDefaults.autoSubmitted,
});
