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

/** One for each use. They run as they are on the demo desk, and a test holds them against the printed schema. */
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

/** What a first visitor finds open. */
export const exampleTabs = (headers: string) =>
  examples.map((example) => ({ query: example.query, variables: variablesText(example), headers }));
