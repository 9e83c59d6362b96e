export interface Example {
  /** Also the tab's title. */
  readonly operationName: string;
  readonly title: string;
  readonly about: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly takesFiles?: boolean;
}

// The alias is needed: `message` is the stored message in the payload, and a text here.
const refusal = `    ... on UserError {
      code
      explanation: message
      path
      retryable
    }`;

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
    name
    role
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
    messages(last: 10) {
      nodes {
        messageId
        createdAt
        visibility
        author {
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
          subject
        }
      }
    }
  }
}
`,
    variables: { ticket: { reference: 'INC-000047' } },
  },
  {
    operationName: 'AddComment',
    title: 'Comment',
    about: 'A public message; the requester can read it. No e-mail is sent.',
    query: addTicketMessage('AddComment'),
    variables: {
      input: {
        ticket: { reference: 'INC-000047' },
        body: 'I have restarted the print server. Could you try again?',
      },
    },
  },
  {
    operationName: 'AddPrivateNote',
    title: 'Private note',
    about: 'Seen by operators only: never mailed, never counted, never shown to a requester.',
    query: addTicketMessage('AddPrivateNote'),
    variables: {
      input: {
        ticket: { ticketId: 47 },
        body: 'The fuser is due for a replacement; part ordered.',
        visibility: 'PRIVATE',
      },
    },
  },
  {
    operationName: 'ReplyByEmail',
    title: 'Reply by e-mail, with Cc',
    about: 'Stored and mailed to the requester. In the demo, the mail can be read in the inbox.',
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
      warnings {
        code
        message
      }
`,
    ),
    variables: {
      input: {
        ticket: { reference: 'INC-000047' },
        body: '<p>Hello Jane,</p><p>the printer on the <b>second floor</b> works again.</p>',
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
    query: addTicketMessage('UploadFiles'),
    variables: {
      input: { ticket: { reference: 'INC-000047' }, body: 'The log files that you asked for are attached.' },
    },
  },
  {
    operationName: 'RetrySafely',
    title: 'Retry without doubling',
    about: 'Run it twice: the same key and input give the first result again, with replayed: true.',
    query: addTicketMessage('RetrySafely'),
    variables: {
      input: {
        ticket: { reference: 'INC-000047' },
        body: 'This is written once, however often it is sent.',
        idempotencyKey: 'explorer-example-1',
      },
    },
  },
  {
    operationName: 'WatchDeliveries',
    title: 'Watch the ledger',
    about: 'The newest deliveries, with the state of each recipient.',
    query: `query WatchDeliveries {
  deliveries(first: 10) {
    nodes {
      id
      state
      subject
      recipients {
        kind
        address
        state
        smtpReply
      }
    }
  }
}
`,
  },
];

function addTicketMessage(operationName: string, more = ''): string {
  return `mutation ${operationName}($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    ... on AddTicketMessagePayload {
      ticketMessage {
        id
        messageId
        visibility
        bodyText
        attachments {
          fileName
          byteSize
          sha256
          downloadUrl
        }
      }
      ticket {
        reference
      }
${more}      replayed
    }
${refusal}
  }
}
`;
}

export const variablesText = ({ variables }: Example): string =>
  variables === undefined ? '' : JSON.stringify(variables, null, 2);

/** What a first visitor finds open. */
export const exampleTabs = (headers: string) =>
  examples.map((example) => ({ query: example.query, variables: variablesText(example), headers }));
