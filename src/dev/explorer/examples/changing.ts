import { type Example, ticket } from './example.ts';

/** Examples of the other mutations. */
export const changingExamples = {
  CloseTicket: {
    operationName: 'CloseTicket',
    title: 'Close a ticket',
    about: 'Set OPEN to reopen it. Subscribers to the ticket receive an event.',
    query: `mutation CloseTicket($input: SetTicketStatusInput!) {
  setTicketStatus(input: $input) {
    ... on SetTicketStatusPayload {
      changed
      ticket {
        reference
        status
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
`,
    variables: { input: { ticket, status: 'CLOSED' } },
  },
  RetryDelivery: {
    operationName: 'RetryDelivery',
    title: 'Send a failed mail again',
    about: 'Only to the recipients that it did not reach. Use an id from “List failed mails”.',
    query: `mutation RetryDelivery($input: DeliveryInput!) {
  retryDelivery(input: $input) {
    ... on DeliveryPayload {
      delivery {
        state
      }
    }
    ... on UserError {
      code
      message
    }
    ... on DeliveryStateError {
      state
    }
  }
}
`,
    variables: { input: { delivery: 'RGVsaXZlcnk6MQ==' } },
  },
  RedactMessage: {
    operationName: 'RedactMessage',
    title: 'Redact a message',
    about: 'Permanently removes its text and files; the message stays as a placeholder. Use a message id.',
    query: `mutation RedactMessage($input: RedactMessageInput!) {
  redactMessage(input: $input) {
    ... on RedactMessagePayload {
      alreadyRedacted
      ticketMessage {
        messageId
        redactedAt
        bodyText
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
`,
    variables: { input: { message: 'the id of a message', reason: 'a pasted password' } },
  },
} satisfies Record<string, Example>;
