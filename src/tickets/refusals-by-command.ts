import type { ErrorCode, Refusal } from '../platform/errors.ts';

/**
 * Names of the commands whose refusals are members of their result unions. The preview of a message is one of
 * them. `changeDelivery` stands for all commands that change a delivery.
 */
export const commandNames = [
  'addTicketMessage',
  'previewTicketMessage',
  'uploadFile',
  'changeDelivery',
  'redactMessage',
  'redactAttachment',
  'setTicketStatus',
  'markSeen',
] as const;
/** One of `commandNames`. */
export type CommandName = (typeof commandNames)[number];
/** Name of a command that writes. */
export type WritingCommand = Exclude<CommandName, 'previewTicketMessage'>;

const messageCommands = ['addTicketMessage', 'previewTicketMessage'] as const;
/**
 * Names of the commands whose input is a new message. Code that these commands share may throw only refusals
 * that all of their result unions contain.
 */
export type MessageCommand = (typeof messageCommands)[number];
const redactors = ['redactMessage', 'redactAttachment'] as const;

/**
 * Which commands can be refused with each code. The result unions of the GraphQL schema are made from this
 * table.
 */
export const refusedBy = {
  UNAUTHENTICATED: commandNames,
  FORBIDDEN: commandNames,
  TICKET_NOT_FOUND: [...messageCommands, 'setTicketStatus', 'markSeen'],
  INVALID_INPUT: [...messageCommands, ...redactors],
  PRIVATE_WITH_EMAIL: messageCommands,
  MAILBOX_NOT_FOUND: messageCommands,
  MAILBOX_NOT_READY: messageCommands,
  RECIPIENT_MISSING: messageCommands,
  ATTACHMENT_TOO_LARGE: [...messageCommands, 'uploadFile'],
  EMAIL_TOO_LARGE: ['addTicketMessage'],
  TICKET_CHANGED: ['addTicketMessage'],
  IDEMPOTENCY_KEY_REUSED: ['addTicketMessage'],
  PREVIEW_STALE: ['addTicketMessage'],
  MESSAGE_NOT_FOUND: ['redactMessage', 'markSeen'],
  ATTACHMENT_NOT_FOUND: ['redactAttachment'],
  DELIVERY_NOT_FOUND: ['changeDelivery'],
  DELIVERY_STATE: ['changeDelivery'],
  RATE_LIMITED: [
    'addTicketMessage',
    'uploadFile',
    'changeDelivery',
    ...redactors,
    'setTicketStatus',
    'markSeen',
  ],
} as const satisfies Record<ErrorCode, readonly CommandName[]>;

/** The codes that every command in `C` can be refused with. */
export type CodeOf<C extends CommandName> = {
  [Code in ErrorCode]: [C] extends [(typeof refusedBy)[Code][number]] ? Code : never;
}[ErrorCode];

/**
 * Returns the refusal unchanged. It does not compile with a code that is missing from the commands' result
 * unions. So every refusal that a command throws goes through here, as `throw refuse<'redactMessage'>(…)`;
 * `test/house` finds those that do not.
 */
export const refuse = <C extends CommandName>(refusal: Refusal<CodeOf<C>>): Refusal<CodeOf<C>> => refusal;
