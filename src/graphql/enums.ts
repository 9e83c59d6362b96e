import type { BodyChangeCode } from '../content/changes.ts';
import { roles, scopes } from '../context.ts';
import { errorCodes } from '../errors.ts';
import {
  attemptPhases,
  cancelReasons,
  deliveryStates,
  eventTypes,
  formats,
  quotes,
  recipientKinds,
  recipientStates,
  scanStates,
  suggestedActions,
  ticketStatuses,
  visibilities,
} from '../vocabulary.ts';
import { builder } from './builder.ts';

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'Why a command said no. Closed: a new code is a new version of the schema.',
  values: errorCodes,
});
export const RoleEnum = builder.enumType('Role', { values: roles });
export const ScopeEnum = builder.enumType('Scope', {
  description: 'What a credential may be used for.',
  values: scopes,
});
export const TicketStatusEnum = builder.enumType('TicketStatus', { values: ticketStatuses });
export const MessageFormatEnum = builder.enumType('MessageFormat', { values: formats });
const bodyChanges = {
  HIDDEN_TEXT: { description: 'Text that no reader would have seen is left out.' },
  REMOTE_PICTURE: { description: 'A picture of the web is held back.' },
  PICTURE: { description: 'A picture is left out whose address cannot be shown.' },
  LINK: { description: 'A link is plain text: its address is not of the web, an e-mail or a telephone.' },
  SCRIPT: { description: 'A script is left out.' },
  FORM: { description: 'A field of a form is left out, or is plain text.' },
  EMBEDDED: { description: 'What is played, drawn or shown by another page is left out, or is a link.' },
  PLACEMENT: { description: 'Something stands in its place that would have covered what is around it.' },
} satisfies Record<BodyChangeCode, { description: string }>;
export const BodyChangeCodeEnum = builder.enumType('BodyChangeCode', { values: bodyChanges });
export const VisibilityEnum = builder.enumType('MessageVisibility', {
  description: 'PRIVATE messages are seen and written by operators only.',
  values: visibilities,
});
export const DeliveryStateEnum = builder.enumType('DeliveryState', {
  description:
    'QUEUED or HELD, then TRANSMITTING, then SENT, PARTIALLY_FAILED, FAILED, DEFERRED (to be tried again) or OUTCOME_UNKNOWN (never tried again by itself); CANCELLED before it was sent.',
  values: deliveryStates,
});
export const RecipientKindEnum = builder.enumType('RecipientKind', { values: recipientKinds });
export const RecipientStateEnum = builder.enumType('RecipientState', { values: recipientStates });
export const SuggestedActionEnum = builder.enumType('SuggestedAction', {
  description: 'What may help a mail that did not arrive, and so who has to do something.',
  values: suggestedActions,
});
export const AttemptPhaseEnum = builder.enumType('AttemptPhase', {
  description: 'How far an attempt got. From BODY on, only the server knows whether it took the mail.',
  values: attemptPhases,
});
export const QuoteEnum = builder.enumType('Quote', {
  description: "Which of the ticket's earlier public messages a mail repeats below the new one.",
  values: quotes,
});
export const CancelReasonEnum = builder.enumType('CancelReason', {
  description:
    'A public answer that came before a waiting mail was sent makes it void; looked at when it is due.',
  values: cancelReasons,
});
export const EventTypeEnum = builder.enumType('TicketEventType', { values: eventTypes });
export const AttachmentScanEnum = builder.enumType('AttachmentScan', {
  description:
    'PENDING: a mail with the file waits, and the file is downloaded but never shown in place. INFECTED: nobody is given the file, and a mail with it fails.',
  values: scanStates,
});
