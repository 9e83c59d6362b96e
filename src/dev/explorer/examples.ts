export interface Example {
  /** Also the tab's title. */
  readonly operationName: string;
  readonly title: string;
  readonly about: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly takesFiles?: boolean;
}

const ticket = { reference: 'INC-000047' };

/**
 * One for each use. They run as they are on the demo desk, and a test holds them against the printed schema.
 */
export const examples: readonly Example[] = [
  {
    operationName: 'WhoAmI',
    title: 'Who am I',
    about: 'The signed-in user, and the mailboxes that they may send from.',
    query: `# Run it: ▶ or Ctrl-Enter.
# The Examples panel has the rest.
query WhoAmI {
  viewer {
    login
    person {
      id
      name
      role
    }
    scopes
  }
  mailboxes {
    address
    displayName
  }
}
`,
  },
  {
    operationName: 'ReadTicket',
    title: 'Read a ticket',
    about: 'A ticket by its reference, with its last messages, their attachments and deliveries.',
    query: `query ReadTicket($ticket: TicketSelector!) {
  ticket(by: $ticket) {
    id
    ticketId
    reference
    subject
    requester {
      name
    }
    messages(last: 10) {
      totalCount
      nodes {
        messageId
        createdAt
        visibility
        author {
          id
          name
        }
        bodyText
        attachments {
          fileName
          byteSize
          downloadUrl
        }
        delivery {
          state
        }
      }
    }
  }
}
`,
    variables: { ticket },
  },
  {
    operationName: 'AddComment',
    title: 'Comment',
    about: 'A public message, which the requester can read. No e-mail is sent.',
    query: addTicketMessage('AddComment'),
    variables: { input: { ticket, body: 'The new workstation has arrived. When may I set it up?' } },
  },
  {
    operationName: 'AddPrivateNote',
    title: 'Private note',
    about: 'Seen by operators only: never mailed, never counted, never shown to a requester.',
    query: addTicketMessage('AddPrivateNote'),
    variables: {
      input: {
        ticket: { ticketId: 47 },
        body: 'Serial number noted; the old one goes back to the supplier on Friday.',
        visibility: 'PRIVATE',
      },
    },
  },
  {
    operationName: 'ReplyByEmail',
    title: 'Reply by e-mail, with Cc',
    about: 'Stored, and mailed to the requester. On the demo desk, the mail can be read in the inbox.',
    query: addTicketMessage(
      'ReplyByEmail',
      `      delivery {
        state
        from
        to
        cc
        bcc
        subject
        rfcMessageId
      }
`,
    ),
    variables: {
      input: {
        ticket,
        body: '<p>Hello,</p><p>could I come and set it up <b>this afternoon</b>?</p>',
        format: 'HTML',
        email: { from: 'company@domain.com', cc: ['team.lead@domain.com'] },
      },
    },
  },
  {
    operationName: 'UploadFiles',
    title: 'Upload files',
    about: 'Pick files in the Files panel: each becomes an attachment of the message.',
    takesFiles: true,
    query: addTicketMessage(
      'UploadFiles',
      '',
      `        attachments {
          fileName
          byteSize
          sha256
          downloadUrl
        }
`,
    ),
    variables: { input: { ticket, body: 'The delivery note and the manual are attached.' } },
  },
  {
    operationName: 'RetrySafely',
    title: 'Retry without doubling',
    about: 'Run it twice: the same key and input give the first result again, with replayed: true.',
    query: addTicketMessage('RetrySafely'),
    variables: {
      input: {
        ticket,
        body: 'This is written once, however often it is sent.',
        idempotencyKey: 'explorer-example-1',
      },
    },
  },
  {
    operationName: 'ReplyWithBounce',
    title: 'See a delivery fail',
    about:
      'An address at sandbox.test that the development inbox refuses; the other recipient still gets the mail.',
    query: addTicketMessage(
      'ReplyWithBounce',
      `      delivery {
        state
      }
`,
    ),
    variables: {
      input: {
        ticket,
        body: 'One of the two addresses does not exist.',
        email: { from: 'company@domain.com', cc: ['bounce@sandbox.test'] },
      },
    },
  },
  {
    operationName: 'WatchDeliveries',
    title: 'Watch the ledger',
    about: "A ticket's e-mails: the state of each recipient, and every attempt with the server's answer.",
    query: `query WatchDeliveries($ticket: TicketSelector!) {
  ticket(by: $ticket) {
    reference
    messages(last: 10) {
      nodes {
        messageId
        delivery {
          state
          subject
          failure
          recipients {
            kind
            address
            state
            enhancedCode
            smtpReply
          }
          attempts {
            number
            startedAt
            phase
            outcome
            reply
          }
        }
      }
    }
  }
}
`,
    variables: { ticket },
  },
  {
    operationName: 'ListTickets',
    title: 'List tickets',
    about: 'A page of the open tickets, the newest first; endCursor is where the next page begins.',
    query: `query ListTickets($status: TicketStatus, $first: Int!, $after: String) {
  tickets(status: $status, first: $first, after: $after) {
    totalCount
    nodes {
      reference
      subject
      status
      messageCount
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { status: 'OPEN', first: 10, after: null },
  },
  {
    operationName: 'WatchTicket',
    title: 'Watch a ticket live',
    about: 'Run it, and add a message in another tab: each event comes as it happens. ▶ again stops it.',
    query: `subscription WatchTicket($ticket: TicketSelector!) {
  ticketEvents(ticket: $ticket) {
    cursor
    type
    at
    actor {
      name
    }
    ticketMessage {
      messageId
      bodyText
    }
    delivery {
      state
    }
  }
}
`,
    variables: { ticket },
  },
  {
    operationName: 'PreviewReply',
    title: 'Preview a reply',
    about: 'The mail as it would go out, to the byte, before anything is written or sent.',
    query: `query PreviewReply($input: AddTicketMessageInput!) {
  previewTicketMessage(input: $input) {
    ... on TicketMessagePreview {
      envelopeTo
      subject
      text
      byteSize
      previewHash
    }
    ... on UserError {
      code
      message
    }
  }
}
`,
    variables: {
      input: {
        ticket,
        body: 'Would tomorrow suit you?',
        email: { from: 'company@domain.com', quote: 'LAST' },
      },
    },
  },
  {
    operationName: 'CloseTicket',
    title: 'Close a ticket',
    about: 'Or open it again with OPEN. Whoever watches the ticket is told.',
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
  {
    operationName: 'ListFailures',
    title: 'What did not arrive',
    about: 'Mails that failed for somebody, why, and what may help. Their ids are for the retry.',
    query: `query ListFailures($filter: DeliveryFilter) {
  deliveries(filter: $filter, first: 10) {
    nodes {
      id
      state
      subject
      failure
      suggestedAction
    }
  }
}
`,
    variables: { filter: { hasFailedRecipient: true } },
  },
  {
    operationName: 'RetryDelivery',
    title: 'Send a failed mail again',
    about: 'To those whom it did not reach, and to nobody else. Put in an id of the list before.',
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
  {
    operationName: 'RedactMessage',
    title: 'Redact a message',
    about: 'Takes its text and files away for good, and leaves its place. Put in the id of a message.',
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
];

/** The main mutation with what each example wants to see beside the common part. */
function addTicketMessage(operationName: string, ofPayload = '', ofMessage = ''): string {
  return `mutation ${operationName}($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    ... on AddTicketMessagePayload {
      ticketMessage {
        id
        messageId
        visibility
        bodyText
${ofMessage}      }
${ofPayload}      replayed
      warnings {
        code
        message
      }
    }
    ... on UserError {
      code
      message
      path
      retryable
    }
    ... on InvalidInputError {
      problems {
        path
        message
      }
    }
  }
}
`;
}

export const variablesText = ({ variables }: Example): string =>
  variables === undefined ? '' : JSON.stringify(variables, null, 2);

/** What a first visitor finds open; the panel has the others. */
const opened = ['WhoAmI', 'ReadTicket', 'AddComment'];
export const exampleTabs = (headers: string) =>
  examples
    .filter(({ operationName }) => opened.includes(operationName))
    .map((example) => ({ query: example.query, variables: variablesText(example), headers }));
