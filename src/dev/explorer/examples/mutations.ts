import { type Example, mutation, ticket } from './example.ts';

const deliveryMutation = (operationName: string, field: string, input = 'DeliveryInput') =>
  mutation(operationName, field, {
    input,
    payload: 'DeliveryPayload',
    selection: `      delivery {
        state
        subject
      }`,
    refusals: `    ... on DeliveryStateError {
      state
    }
`,
  });

/** The global id of the first delivery. */
const aDelivery = 'RGVsaXZlcnk6MQ==';

/** Examples of the mutations other than `addTicketMessage`, by the name of their operation. */
export const changingExamples = {
  CloseTicket: {
    operationName: 'CloseTicket',
    title: 'Close a ticket',
    about: 'Set OPEN to reopen it. Subscribers to the ticket receive an event.',
    query: mutation('CloseTicket', 'setTicketStatus', {
      input: 'SetTicketStatusInput',
      payload: 'SetTicketStatusPayload',
      selection: `      changed
      ticket {
        reference
        status
      }`,
    }),
    variables: { input: { ticket, status: 'CLOSED' } },
  },
  CancelDelivery: {
    operationName: 'CancelDelivery',
    title: 'Cancel a mail',
    about: 'One that is held, queued or deferred. Its message stays. Use the id of its delivery.',
    query: deliveryMutation('CancelDelivery', 'cancelDelivery'),
    variables: { input: { delivery: aDelivery } },
  },
  RetryDelivery: {
    operationName: 'RetryDelivery',
    title: 'Send a failed mail again',
    about: 'Only to the recipients that it did not reach. Use an id from “List failed mails”.',
    query: deliveryMutation('RetryDelivery', 'retryDelivery'),
    variables: { input: { delivery: aDelivery } },
  },
  ResolveDelivery: {
    operationName: 'ResolveDelivery',
    title: 'Resolve an unknown outcome',
    about: 'ASSUME_SENT or RESEND, for a mail in OUTCOME_UNKNOWN: send one to drop-after-data@sandbox.test.',
    query: deliveryMutation('ResolveDelivery', 'resolveDelivery', 'ResolveDeliveryInput'),
    variables: { input: { delivery: aDelivery, as: 'ASSUME_SENT' } },
  },
  RedactMessage: {
    operationName: 'RedactMessage',
    title: 'Redact a message',
    about: 'Permanently removes its text and files; the message stays as a placeholder. Use a message id.',
    query: mutation('RedactMessage', 'redactMessage', {
      input: 'RedactMessageInput',
      payload: 'RedactMessagePayload',
      selection: `      alreadyRedacted
      ticketMessage {
        messageId
        redactedAt
        bodyText
      }`,
    }),
    variables: { input: { message: 'the id of a message', reason: 'a pasted password' } },
  },
} satisfies Record<string, Example>;
