import { type Example, ticket } from './example.ts';

/** The main mutation, with further fields of the payload and of the message. */
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

const delivery = `      delivery {
        id
        state
        dueAt
      }
`;

/** Examples of the mutation `addTicketMessage` on the demo desk, by the name of their operation. */
export const messageExamples = {
  AddComment: {
    operationName: 'AddComment',
    title: 'Comment',
    about: 'A public message, which the requester can read. No e-mail is sent.',
    query: addTicketMessage('AddComment'),
    variables: { input: { ticket, body: 'The new workstation has arrived. When may I set it up?' } },
  },
  AddPrivateNote: {
    operationName: 'AddPrivateNote',
    title: 'Private note',
    about: 'Visible to operators only: never mailed, and never shown to a requester.',
    query: addTicketMessage('AddPrivateNote'),
    variables: {
      input: {
        ticket: { ticketId: 47 },
        body: 'Serial number noted; the old one goes back to the supplier on Friday.',
        visibility: 'PRIVATE',
      },
    },
  },
  ReplyByEmail: {
    operationName: 'ReplyByEmail',
    title: 'Reply by e-mail, with Cc',
    about: 'Stored, and mailed to the requester. On the demo desk, open the inbox to read the mail.',
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
  UploadFiles: {
    operationName: 'UploadFiles',
    title: 'Upload files',
    about: 'Pick files in the Files panel: each becomes an attachment of the reply and of its mail.',
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
    variables: {
      input: {
        ticket,
        body: 'The delivery note and the manual are attached.',
        email: { from: 'company@domain.com' },
      },
    },
  },
  RetrySafely: {
    operationName: 'RetrySafely',
    title: 'Retry without a duplicate',
    about: 'Run it twice: the same key and input return the first result, with replayed: true.',
    query: addTicketMessage('RetrySafely'),
    variables: {
      input: {
        ticket,
        body: 'This message is stored once, however often the request is sent.',
        idempotencyKey: 'explorer-example-1',
      },
    },
  },
  ReplyUnlessChanged: {
    operationName: 'ReplyUnlessChanged',
    title: 'Reply unless somebody else did',
    about:
      'ifLastMessage is the last one that you saw. There are later ones: you get them, nothing is written.',
    query: addTicketMessage('ReplyUnlessChanged').replace(
      '    ... on InvalidInputError {',
      `    ... on TicketChangedError {
      unseenMessages {
        id
        author {
          name
        }
        bodyText
      }
    }
    ... on InvalidInputError {`,
    ),
    variables: {
      input: { ticket, body: 'I will take this one.', ifLastMessage: 'VGlja2V0TWVzc2FnZTox' },
    },
  },
  SendPreviewed: {
    operationName: 'SendPreviewed',
    title: 'Send what was previewed',
    about: 'Paste the previewHash of “Preview a reply”: exactly that mail is sent, or none.',
    query: addTicketMessage('SendPreviewed', delivery),
    variables: {
      input: {
        ticket,
        body: 'Would tomorrow suit you?',
        email: { from: 'company@domain.com', quote: 'LAST' },
        expectPreviewHash: 'the previewHash',
      },
    },
  },
  HoldReply: {
    operationName: 'HoldReply',
    title: 'Hold a reply for a minute',
    about: 'The message is there at once, the mail goes later. Until then “Cancel a mail” takes it back.',
    query: addTicketMessage('HoldReply', delivery),
    variables: {
      input: {
        ticket,
        body: 'Sent in a minute, unless I change my mind.',
        email: { from: 'company@domain.com', holdSeconds: 60 },
      },
    },
  },
  ReplyWithBounce: {
    operationName: 'ReplyWithBounce',
    title: 'See a delivery fail',
    about: 'The development inbox rejects this address at sandbox.test. The other recipient gets the mail.',
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
} satisfies Record<string, Example>;
